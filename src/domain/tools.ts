/** A tool that the model may call; whoever runs it answers with a `tool_result`. */
export interface ToolDefinition {
  name: string;
  description: string;
  /** JSON Schema of an object. */
  inputSchema: Record<string, unknown>;
}

/** The tools that workers run themselves, and what the model is told about them. */
export const builtInTools = {
  get_weather:
    'The weather in a city at this moment: conditions, temperature, humidity and wind. Made-up sample data, always the ' +
    'same for the same city.',
  calculator:
    'Works out one arithmetic expression exactly, such as "12.5 * (3 + 4) ^ 2" or "round(sqrt(2) * 100, 2)". Knows ' +
    '+ - * / % ^ ! and comparison, parentheses, pi, e, and the usual functions: sqrt, cbrt, abs, round, floor, ceil, ' +
    'exp, log, log10, log2, sin, cos, tan, asin, acos, atan, min, max, mean, sum, gcd, lcm, mod.',
  fetch_url:
    'Fetches a page or file of the web by GET and gives its text. Only some hosts are allowed; others are refused.',
} as const;

export type BuiltInTool = keyof typeof builtInTools;

/** Between an MCP server's name and that of its tool. */
const separator = '__';

/** What a tool of an MCP server is called here. */
export const mcpToolName = (server: string, tool: string): string => server + separator + tool;

/** The server and the tool that a name stands for; undefined: it is not the name of an MCP server's tool. */
export function parseMcpToolName(name: string): { server: string; tool: string } | undefined {
  const at = name.indexOf(separator);
  return at > 0 ? { server: name.slice(0, at), tool: name.slice(at + separator.length) } : undefined;
}
