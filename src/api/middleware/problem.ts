import type { ErrorRequestHandler, Request, RequestHandler } from 'express';
import { AppError, errorCodes } from '../../domain/errors.js';
import type { Logger } from '../../lib/logger.js';
import { toAppError } from './to-app-error.js';

/** An error as RFC 9457 wants it told. `status`: where HTTP has a more exact one than the code. */
export function toProblem({ code, message, errors }: AppError, status: number = errorCodes[code].status) {
  const { title } = errorCodes[code];
  return { type: `urn:tokencast:error:${code}`, title, status, detail: message, code, errors };
}

/** Writes down what the caller is not to blame for. */
export function logFault(log: Logger, { id: requestId }: Pick<Request, 'id'>, fault: AppError): void {
  if (errorCodes[fault.code].status < 500) return;
  const fields = { requestId, code: fault.code, err: fault };
  if (fault.code === 'internal') log.error(fields, 'request failed');
  else log.warn(fields, 'request refused');
}

/** The end of the line: whatever went wrong becomes `application/problem+json` (RFC 9457), here alone. */
export function problems(log: Logger): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  return (error, req, res, _next) => {
    const problem = toAppError(error);
    const { status } = errorCodes[problem.code];
    logFault(log, req, problem);
    if (res.headersSent) {
      // Part of an answer is out: only a broken connection tells the client that it is not whole.
      if (!res.writableEnded) res.destroy();
      return;
    }
    if (problem.code === 'unauthenticated' && !res.hasHeader('WWW-Authenticate'))
      res.set('WWW-Authenticate', 'Bearer');
    if (problem.retryAfterSeconds !== undefined) res.set('Retry-After', String(problem.retryAfterSeconds));
    res
      .status(status)
      .type('application/problem+json')
      .send(JSON.stringify(toProblem(problem)));
  };
}

/** Answers what no route has answered. */
export const nothingHere: RequestHandler = () => {
  throw new AppError('not_found', 'There is nothing here.');
};
