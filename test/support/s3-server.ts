import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A bucket service in memory, of as much of the S3 API as an SDK needs to put, get and delete objects. */
export interface S3Server {
  url: string;
  /** By bucket and key: `bucket/key`. */
  readonly objects: Map<string, Buffer>;
  /** The access keys of the requests so far. */
  readonly accessKeys: Set<string>;
  /** Uploads that came in several parts. */
  readonly multipartUploads: number;
  close(): Promise<void>;
}

export async function startS3Server(): Promise<S3Server> {
  const objects = new Map<string, Buffer>();
  const accessKeys = new Set<string>();
  const uploads = new Map<string, Map<number, Buffer>>();
  let multipartUploads = 0;

  const answer = async (req: IncomingMessage, res: ServerResponse) => {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://localhost');
    const name = decodeURIComponent(pathname.slice(1));
    const upload = searchParams.get('uploadId');
    const body = await buffer(req);
    const accessKey = /^AWS4-HMAC-SHA256 Credential=([^/]+)\//.exec(req.headers.authorization ?? '')?.[1];
    if (accessKey === undefined) return xml(res, 403, '<Error><Code>AccessDenied</Code></Error>');
    accessKeys.add(accessKey);
    const etag = { etag: `"${randomUUID()}"` };
    switch (req.method) {
      case 'POST':
        if (searchParams.has('uploads')) {
          const id = randomUUID();
          uploads.set(id, new Map());
          return xml(
            res,
            200,
            `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
          );
        }
        multipartUploads += 1;
        objects.set(
          name,
          Buffer.concat(
            [...(uploads.get(upload ?? '') ?? [])].sort(([a], [b]) => a - b).map(([, part]) => part),
          ),
        );
        return xml(
          res,
          200,
          '<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>',
        );
      case 'PUT':
        if (upload === null) objects.set(name, body);
        else uploads.get(upload)?.set(Number(searchParams.get('partNumber')), body);
        return res.writeHead(200, etag).end();
      case 'GET': {
        const object = objects.get(name);
        if (!object) return xml(res, 404, '<Error><Code>NoSuchKey</Code><Message>none</Message></Error>');
        return res.writeHead(200, { ...etag, 'content-length': object.length }).end(object);
      }
      case 'DELETE':
        objects.delete(name);
        return res.writeHead(204).end();
      default:
        return xml(res, 405, '<Error><Code>MethodNotAllowed</Code></Error>');
    }
  };

  const server = createServer((req, res) => {
    answer(req, res).catch(() => res.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    accessKeys,
    get multipartUploads() {
      return multipartUploads;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const xml = (res: ServerResponse, status: number, body: string) =>
  res.writeHead(status, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${body}`);
