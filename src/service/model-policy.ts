import { AppError } from '../domain/errors.js';
import { defaultClaudeModel, models, providerOf, type Model, type ProviderName } from '../domain/models.js';

/** The environment variable that holds a provider's key. */
const keyVariables = {
  anthropic: 'ANTHROPIC_API_KEY',
  mistral: 'MISTRAL_API_KEY',
  openai: 'OPENAI_API_KEY',
} as const satisfies Partial<Record<ProviderName, string>>;

interface ModelPolicyOptions {
  /** Providers that can be called: those with a key, and the demo. */
  providers: ReadonlySet<ProviderName>;
  /** `DEFAULT_MODEL`. */
  defaultModel: string | undefined;
}

/** Which models this deployment runs. */
export class ModelPolicy {
  /** The model of a request that names none. */
  readonly defaultModel: string;

  constructor(private readonly options: ModelPolicyOptions) {
    this.defaultModel =
      options.defaultModel ?? (options.providers.has('anthropic') ? defaultClaudeModel : 'demo');
  }

  /** The models on offer by name. */
  get available(): Model[] {
    return models.filter((model) => this.options.providers.has(model.provider));
  }

  /** Which provider serves a model; throws `unsupported_model` where none can. */
  resolve(model: string): ProviderName {
    const provider = providerOf(model);
    if (!provider) throw new AppError('unsupported_model', `No provider serves a model named "${model}".`);
    if (!this.options.providers.has(provider)) {
      const variable = provider === 'demo' ? '' : keyVariables[provider];
      throw new AppError(
        'unsupported_model',
        `The model "${model}" needs ${variable}, which this server does not have.`,
      );
    }
    return provider;
  }
}
