import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Router } from 'express';
import { AppError } from '../../domain/errors.js';
import { ownVersion } from '../../lib/own-version.js';
import { createRouter, type Api } from '../api.js';

/**
 * `/openapi.json`, `/asyncapi.json`, and `/docs`, a page that shows the first. The documents are made when they are
 * asked for, and what makes them is loaded then: who is never asked has no cost of it.
 */
export function apiDocumentRoutes({ bodies, linkTo }: Api, webRoot: string): Router {
  const router = createRouter();
  let openApi: object | undefined;
  let asyncApi: object | undefined;

  router.get('/openapi.json', async (_req, res) => {
    const { openApiDocument } = await import('../openapi/openapi-document.js');
    res.set('Cache-Control', 'no-cache').json((openApi ??= openApiDocument(bodies, await ownVersion())));
  });

  router.get('/asyncapi.json', async (req, res) => {
    const { asyncApiDocument, asyncApiServers } = await import('../openapi/asyncapi-document.js');
    asyncApi ??= asyncApiDocument(await ownVersion());
    res
      .set('Cache-Control', 'no-cache')
      .vary('Host')
      .json({ ...asyncApi, servers: asyncApiServers(linkTo(req, '')) });
  });

  router.get('/docs', (_req, res) => {
    if (!existsSync(join(webRoot, 'docs', 'index.html')))
      throw new AppError('not_found', 'The page is not built: npm run build:web.');
    res.set('Cache-Control', 'no-cache').sendFile('docs/index.html', { root: webRoot });
  });

  return router;
}
