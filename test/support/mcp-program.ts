/** An MCP server as a program of its own, for tests. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';

const { GREETING: greeting = 'Nothing', A_SECRET_OF_OURS: secret = 'no secret' } = process.env;
const server = new McpServer({ name: 'program', version: '1.0.0' });
server.registerTool('greet', { inputSchema: { name: z.string() } }, ({ name }) => ({
  content: [{ type: 'text', text: `${greeting}, ${name}! (${secret})` }],
}));
server.registerTool('pid', {}, () => ({ content: [{ type: 'text', text: String(process.pid) }] }));
await server.connect(new StdioServerTransport());
