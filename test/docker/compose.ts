import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A container of the stack. */
export interface Container {
  id: string;
  name: string;
  service: string;
  state: string;
  /** Empty for those without a health check. */
  health: string;
}

/** The project's docker-compose.yml under a name of its own, so that it disturbs no other stack. */
export class Compose {
  constructor(
    readonly project: string,
    readonly environment: Record<string, string>,
  ) {}

  get #options() {
    return { env: { ...process.env, ...this.environment }, maxBuffer: 64 * 1024 * 1024 };
  }

  /** Runs a command, its output going where ours goes. */
  async show(...args: string[]): Promise<void> {
    const child = spawn('docker', ['compose', '-p', this.project, ...args], {
      ...this.#options,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0) throw new Error(`docker compose ${args.join(' ')} ended with ${String(code)}`);
  }

  /** Runs a command and answers what it wrote to stdout; what it wrote to stderr is in the error, if it fails. */
  async read(...args: string[]): Promise<string> {
    const { stdout } = await run('docker', ['compose', '-p', this.project, ...args], this.#options);
    return stdout;
  }

  /** The containers of a service, stopped ones too. */
  async containers(service: string): Promise<Container[]> {
    const lines = await this.read('ps', '--all', '--format', 'json', service);
    return lines
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const row = JSON.parse(line) as Record<'ID' | 'Name' | 'Service' | 'State' | 'Health', string>;
        return { id: row.ID, name: row.Name, service: row.Service, state: row.State, health: row.Health };
      });
  }

  /** Ends a container as a crash would: SIGKILL, and nothing starts it again. */
  async kill({ id }: Container): Promise<void> {
    await run('docker', ['kill', id]);
  }

  /** Runs JavaScript in a running container and answers what it wrote to stdout. */
  async evaluate({ id }: Container, script: string): Promise<string> {
    return (await run('docker', ['exec', id, 'node', '-e', script])).stdout.trim();
  }

  /** The address of a running container in the stack's network. */
  async address({ id }: Container): Promise<string> {
    const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
    return (await run('docker', ['inspect', '--format', format, id])).stdout.trim();
  }
}
