import type { UploadProgress } from './http-types.js';

/** Browsers alone have it. */
export const canTellProgress = typeof XMLHttpRequest !== 'undefined';

/** A `fetch` that tells how much of its body is sent, which the platform's own does not. */
export function fetchWithProgress(onProgress: (progress: UploadProgress) => void): typeof fetch {
  return (input, { method = 'GET', headers, body, signal } = {}) =>
    new Promise<Response>((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(method, input instanceof Request ? input.url : input);
      for (const [name, value] of new Headers(headers)) request.setRequestHeader(name, value);
      request.responseType = 'blob';
      request.upload.onprogress = ({ loaded, total }) => {
        onProgress({ sentBytes: loaded, totalBytes: total });
      };
      request.onload = () => {
        resolve(responseOf(request));
      };
      request.onerror = () => {
        reject(new TypeError('the request failed'));
      };
      signal?.addEventListener('abort', () => {
        request.abort();
        reject(signal.reason as Error);
      });
      if (signal?.aborted) reject(signal.reason as Error);
      else request.send(body as XMLHttpRequestBodyInit | null);
    });
}

function responseOf(request: XMLHttpRequest): Response {
  const headers = new Headers();
  for (const line of request.getAllResponseHeaders().trim().split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const { status } = request;
  return new Response(status === 204 ? null : (request.response as Blob), { status, headers });
}
