import { BadRequestException, ForbiddenException, HttpException, Logger, type LoggerService } from '@nestjs/common';
import { REASON_LENGTH_MAX, classNameOf, reasonOf, stackOf } from './error-report.js';
import { KafkaTemplateError } from '../errors.js';
import { nestLog } from '../module/nest-log.js';
import { driverError } from '../testing/cluster-fake.js';

class OutOfStockError extends Error {}
class NamedError extends Error {
  override name = 'Named';
}

describe('error report', () => {
  it.each<[string, unknown, string]>([
    [
      'the texts of a validation',
      new BadRequestException(['id must be a string', 'n is odd']),
      'id must be a string; n is odd',
    ],
    ['the text of a response', new HttpException('gone', 410), 'gone'],
    ['an exception without a text of its own', new ForbiddenException(), 'Forbidden'],
    ['a response without a message', new HttpException({ code: 7 }, 400), 'Http Exception'],
    ['an RpcException', Object.assign(new Error('Rpc Exception'), { getError: () => ({ message: 'no' }) }), 'no'],
    ['several lines', new Error('a\n  b\r\nc'), 'a b c'],
    ['no message', new OutOfStockError(), 'OutOfStockError'],
    ['no error', 'text', 'text'],
    ['nothing', undefined, 'undefined'],
    [
      'a response that throws',
      Object.assign(new Error('m'), {
        getResponse: () => {
          throw new Error('x');
        },
      }),
      'm',
    ],
  ])('gives the reason: %s', (_name, error, reason) => {
    expect(reasonOf(error)).toBe(reason);
  });

  it('bounds the reason', () => {
    expect(reasonOf(new Error('x'.repeat(5000)))).toHaveLength(REASON_LENGTH_MAX + 3);
  });

  it('names a class that has set no name', () => {
    expect([new OutOfStockError(), new NamedError(), new TypeError(), new Error()].map(classNameOf)).toEqual([
      'OutOfStockError',
      'Named',
      'TypeError',
      'Error',
    ]);
  });

  it('leaves out stacks that say nothing, and frames of others', () => {
    expect(stackOf(new BadRequestException('a'))).toBeUndefined();
    expect(stackOf(new KafkaTemplateError('A', 'a'))).toBeUndefined();
    expect(stackOf(driverError('NETWORK'))).toBeUndefined();
    const error = new Error('boom');
    error.stack = [
      'Error: boom',
      '    at Orders.onOrder (/app/src/orders.js:3:4)',
      '    at fn (/app/node_modules/@nestjs/core/helpers/external-context-creator.js:80:1)',
      '    at /app/node_modules/rxjs/dist/cjs/internal/Observable.js:1:1',
      '    at process.processTicksAndRejections (node:internal/process/task_queues:103:5)',
    ].join('\n');
    expect(stackOf(error)).toBe('Error: boom\n    at Orders.onOrder (/app/src/orders.js:3:4)');
  });

  it("writes one line to Nest's logger for what a pipe refused", () => {
    const written: unknown[][] = [];
    const write = (...parts: unknown[]) => void written.push(parts);
    const logger: LoggerService = { log: write, warn: write, error: write, debug: write };
    Logger.overrideLogger(logger);
    nestLog('K').error('t-0@1 is skipped', new BadRequestException(['id must be a string']));
    Logger.overrideLogger(false);
    expect(written).toEqual([['t-0@1 is skipped: id must be a string', undefined, 'K']]);
  });
});
