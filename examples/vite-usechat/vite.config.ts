import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const target = process.env.TOKENCAST_URL ?? 'http://127.0.0.1:3000';
/** The page and the api on one origin, so that no `CORS_ORIGINS` is needed. */
const proxy = { '/ai-sdk': target, '/v1': target };

export default defineConfig({ plugins: [react()], server: { proxy }, preview: { proxy } });
