/**
 * Lets the error of a pattern handler reach the container's error handler as it was thrown.
 *
 * Nest's own filter replaces what is no RpcException by `{ status: 'error', message: 'Internal server error' }`: neither
 * class nor stack are left to classify by, or to write into a dead-letter record.
 */
import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';

/** For `@UseFilters(new OriginalErrorFilter())` on a controller with pattern handlers; elsewhere it changes nothing. */
@Catch()
export class OriginalErrorFilter implements ExceptionFilter {
  /** Passes the error on. */
  catch(exception: unknown, host: ArgumentsHost): Observable<never> {
    if (host.getType() !== 'rpc') throw exception;
    return throwError(() => exception);
  }
}
