import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError } from './config-error.js';

const variable = 'MCP_CONFIG_FILE';

/** No double underscore: it stands between a server's name and its tool's. */
const serverName = z.string().regex(/^(?=.{1,32}$)[a-zA-Z0-9-]+(_[a-zA-Z0-9-]+)*$/, {
  error: 'must be 1 to 32 letters, digits, dashes or single underscores',
});

const common = {
  /** The only tools that are offered; by default all that the server has. */
  tools: z.array(z.string().min(1)).optional(),
  /** How long one call may take. */
  timeoutMs: z.int().min(1).max(3_600_000).default(30_000),
  /** Other programs want it; what a server is shows in its other fields. */
  type: z.string().optional(),
};

const stdioServer = z.strictObject({
  ...common,
  command: z.string().min(1),
  args: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).default({}),
  cwd: z.string().optional(),
});

const httpServer = z.strictObject({
  ...common,
  url: z.string().min(1),
  headers: z.record(z.string(), z.string()).default({}),
});

const file = z.object({ mcpServers: z.record(serverName, z.union([stdioServer, httpServer])) });

type Server = z.infer<typeof stdioServer> | z.infer<typeof httpServer>;

/** An MCP server whose tools generations may use, under the name that its tools begin with. */
export type McpServer = Server & { name: string };

interface ReadOptions {
  /** What `${NAME}` in the file stands for; undefined: it is left as it is, for programs that only need the names. */
  environment: Readonly<Record<string, string | undefined>> | undefined;
}

/** Reads the file in which MCP servers are named. @throws ConfigError */
export function readMcpServers(path: string, { environment }: ReadOptions): McpServer[] {
  const parsed = file.safeParse(readJson(path));
  if (!parsed.success) throw new ConfigError(variable, `names ${path}, in which ${firstFault(parsed.error)}`);
  return Object.entries(parsed.data.mcpServers).map(([name, server]) => {
    const filled = environment ? (fill(server, environment, path) as Server) : server;
    if (environment && 'url' in filled && !/^https?:\/\//.test(filled.url))
      throw new ConfigError(variable, `names ${path}, in which the url of ${name} is no http(s) URL`);
    return { ...filled, name };
  });
}

function readJson(path: string): unknown {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new ConfigError(variable, `names ${path}, which cannot be read (${code})`);
  }
  try {
    return JSON.parse(content);
  } catch {
    throw new ConfigError(variable, `names ${path}, which is not JSON`);
  }
}

/** The fault of the form that was meant: a server with a `url`, or one with a `command`. */
function firstFault({ issues }: z.ZodError): string {
  const [issue] = issues;
  const inner =
    issue?.code === 'invalid_union'
      ? issue.errors.toSorted((a, b) => a.length - b.length)[0]?.[0]
      : issue?.code === 'invalid_key'
        ? issue.issues[0]
        : undefined;
  const path = [...(issue?.path ?? []), ...(inner?.path ?? [])].map(String).join('.');
  return `${path}: ${(inner ?? issue)?.message ?? 'is wrong'}`;
}

/** Puts the values of variables into all strings. */
function fill(value: unknown, environment: NonNullable<ReadOptions['environment']>, path: string): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\{(\w+)\}/g, (_, name: string) => {
      const given = environment[name];
      if (given === undefined)
        throw new ConfigError(
          variable,
          `names ${path}, which needs the variable ${name}, and that is not set`,
        );
      return given;
    });
  }
  if (Array.isArray(value)) return value.map((inner) => fill(inner, environment, path));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, fill(inner, environment, path)]),
  );
}
