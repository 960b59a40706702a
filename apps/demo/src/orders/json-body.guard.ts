/**
 * Lets only JSON pass: a body of another kind (curl's -d without a header says it is a form) would be taken for an order
 * with strange properties.
 */
import { type CanActivate, type ExecutionContext, Injectable, UnsupportedMediaTypeException } from '@nestjs/common';

/** Answers 415 to a request whose body is not declared as JSON. */
@Injectable()
export class JsonBodyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ readonly headers: Record<string, string | undefined> }>();
    const type = headers['content-type'];
    if (type !== undefined && /^application\/(?:[^;]+\+)?json\s*(?:;|$)/i.test(type)) return true;
    const given = type === undefined ? 'has no content-type' : `is ${type}`;
    throw new UnsupportedMediaTypeException(
      `An order is JSON and this body ${given}: send the header content-type: application/json`,
    );
  }
}
