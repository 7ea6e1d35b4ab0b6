import { existsSync } from 'node:fs';
import { join } from 'node:path';
import compression from 'compression';
import express, { type RequestHandler } from 'express';

/** Paths that belong to programs: below them an unknown one is an error, not a page. */
const programPaths = /^\/(v1|socket\.io|admin|anthropic|ai-sdk|assets|healthz|readyz|metrics)(\/|$)/;

/**
 * The web app, compressed for whoever takes that. Its routes are its own business: every page that a browser asks for
 * is index.html, and `/` is one for all.
 */
export function webApp(webRoot: string): RequestHandler[] {
  const files = express.static(webRoot, {
    index: false,
    redirect: false,
    setHeaders: (res, path) => {
      // Names below assets/ carry a hash of the content.
      const isHashed = path.startsWith(join(webRoot, 'assets'));
      res.set('Cache-Control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  const page: RequestHandler = (req, res, next) => {
    const isPage =
      (req.method === 'GET' || req.method === 'HEAD') &&
      (req.path === '/' || req.get('accept')?.includes('text/html')) &&
      !programPaths.test(req.path) &&
      existsSync(join(webRoot, 'index.html'));
    if (!isPage) {
      next();
      return;
    }
    res.set('Cache-Control', 'no-cache').vary('Accept').sendFile('index.html', { root: webRoot });
  };
  return [compression(), files, page];
}
