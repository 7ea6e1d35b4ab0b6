// Files that the compiler does not copy: the Lua scripts and the migrations. And what it cannot say: what is a program.
import { chmod, cp } from 'node:fs/promises';

await cp('src/redis/lua', 'dist/src/redis/lua', { recursive: true });
await cp('src/store/migrations', 'dist/src/store/migrations', { recursive: true });
await chmod('dist/src/cli/tokencast.js', 0o755);
