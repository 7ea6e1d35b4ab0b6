import { distance } from 'fastest-levenshtein';
import { ConfigError } from '../../config/config-error.js';
import { parseEnv, variableNames, type Env, type EnvSource, type Role } from '../../config/env.js';
import { providerOf, type ProviderName } from '../../domain/models.js';
import { broken, hint, ok, type Finding } from './finding.js';

/** As package.json says. */
const oldestNode = [20, 19] as const;

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const isNewEnough = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  return isNewEnough
    ? ok(`Node ${version}`)
    : broken(`Node ${version} is too old`, `Install ${oldestNode.join('.')} or later.`);
}

/** The settings, and what is wrong or doubtful with them; none: no program would start with them. */
export function checkSettings(source: EnvSource, role: Role): { env: Env | undefined; findings: Finding[] } {
  const findings = misspelt(source);
  let env: Env | undefined;
  try {
    env = parseEnv(source, { role });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { env, findings: [broken(error.message, 'Set it right: README.md, Settings.'), ...findings] };
  }
  return { env, findings: [...findings, ...providerKeys(env), ...doubtful(env)] };
}

/** Names that nobody reads, and that look like one that somebody would. */
function misspelt(source: EnvSource): Finding[] {
  const known = new Set(variableNames);
  return Object.keys(source).flatMap((name) => {
    if (known.has(name) || name.length < 6) return [];
    const meant = variableNames.find((one) => one.length >= 6 && distance(one, name) <= 2);
    return meant === undefined || source[meant] !== undefined
      ? []
      : [hint(`${name} is not read by anybody`, `Did you mean ${meant}?`)];
  });
}

/** How the keys of providers look. Those of other services that speak the same protocol look otherwise. */
const shapes: Record<
  Exclude<ProviderName, 'demo'>,
  { variable: string; shape: RegExp; looksLike: string }
> = {
  anthropic: { variable: 'ANTHROPIC_API_KEY', shape: /^sk-ant-[\w-]{20,}$/, looksLike: 'sk-ant-…' },
  mistral: { variable: 'MISTRAL_API_KEY', shape: /^\w{32,}$/, looksLike: '32 letters and digits' },
  openai: { variable: 'OPENAI_API_KEY', shape: /^sk-[\w-]{20,}$/, looksLike: 'sk-…' },
};

function providerKeys({ providers, generation: { defaultModel } }: Env): Finding[] {
  const found: Finding[] = [];
  for (const provider of ['anthropic', 'mistral', 'openai'] as const) {
    const { apiKey, baseUrl } = providers[provider];
    const { variable, shape, looksLike } = shapes[provider];
    if (apiKey === undefined) continue;
    if (/[\s"']/.test(apiKey))
      found.push(broken(`${variable} has spaces or quotes in it`, 'Take them out: the key alone.'));
    else if (baseUrl === undefined && !shape.test(apiKey))
      found.push(
        hint(`${variable} does not look like one (${looksLike})`, 'Copy it anew from the provider.'),
      );
    else found.push(ok(`${variable} is set`));
  }
  if (found.length === 0)
    found.push(
      hint('There is no key of a provider: the demo model answers', 'Set ANTHROPIC_API_KEY, or another one.'),
    );
  if (defaultModel === undefined) return found;
  const provider = providerOf(defaultModel);
  if (provider === undefined)
    found.push(
      broken(`DEFAULT_MODEL: nobody serves ${defaultModel}`, 'README.md, Settings, names the models.'),
    );
  else if (provider !== 'demo' && providers[provider].apiKey === undefined)
    found.push(
      broken(
        `DEFAULT_MODEL is ${defaultModel}, and its provider has no key`,
        `Set ${shapes[provider].variable}.`,
      ),
    );
  return found;
}

/** What is allowed and seldom meant. */
function doubtful({ production, http, admin, generation }: Env): Finding[] {
  const found: Finding[] = [];
  if (generation.idleTimeoutMs > generation.timeoutMs)
    found.push(
      hint(
        'IDLE_TIMEOUT_MS is longer than GENERATION_TIMEOUT_MS',
        'It never counts: make it the shorter one.',
      ),
    );
  if (http.publicUrl?.startsWith('https:') && http.trustProxy === false)
    found.push(
      hint(
        'PUBLIC_URL is https, and TRUST_PROXY is not set',
        'All people behind the proxy share the limits of one address: set TRUST_PROXY to the number of proxies.',
      ),
    );
  if (!production) return found;
  if (http.publicUrl === undefined)
    found.push(
      hint('PUBLIC_URL is not set', 'Links of invitations are made from what the browser asked for.'),
    );
  if (http.corsOrigins === '*')
    found.push(
      hint('CORS_ORIGINS is *', 'Any page may call with the token of its visitor: name the origins.'),
    );
  if (admin.token === undefined)
    found.push(hint('ADMIN_TOKEN is not set', '/metrics and /admin are closed without one in production.'));
  return found;
}
