import type { Log } from '../../io/log.js';
import { FakeClock } from '../../testing/fake-clock.js';
import { WARNINGS_MAX, WARNING_PAUSE_MS, connectionLog } from './connection-log.js';

const ADDRESS = '127.0.0.1:9092';
const REFUSED = `Connection to broker ${ADDRESS} could not be established: connect ECONNREFUSED ${ADDRESS}; trying again`;
const LOST = `Connection to broker ${ADDRESS} was lost: the broker closed it; trying again`;
const AGAIN = `Connection to broker ${ADDRESS} is established again`;

function create() {
  const said: string[] = [];
  const say = (level: string) => (message: string) => void (level === 'debug' || said.push(`${level} ${message}`));
  const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  const clock = new FakeClock();
  return { said, clock, logger: connectionLog(log, clock) };
}

describe('connection log', () => {
  it('says once what every client of the application finds out', () => {
    const { said, logger } = create();
    for (let client = 0; client < 5; client++) logger.warn(client === 0 ? LOST : REFUSED);
    for (let client = 0; client < 5; client++) logger.info(AGAIN);
    expect(said).toEqual([`warn ${LOST}`, `info ${AGAIN}`]);
  });

  it('repeats the warning while the broker is away', () => {
    const { said, logger, clock } = create();
    logger.warn(LOST);
    clock.advance(WARNING_PAUSE_MS - 1);
    logger.warn(REFUSED);
    clock.advance(1);
    logger.warn(REFUSED);
    logger.warn(REFUSED);
    logger.info(AGAIN);
    expect(said).toEqual([`warn ${LOST}`, `warn ${REFUSED}`, `info ${AGAIN}`]);
  });

  it('tells addresses apart, and forgets the oldest of very many', () => {
    const { said, logger } = create();
    for (let port = 0; port <= WARNINGS_MAX; port++)
      logger.warn(`Connection to broker h:${port} was lost: x; trying again`);
    expect(said).toHaveLength(WARNINGS_MAX + 1);
    logger.info('Connection to broker h:0 is established again');
    logger.info('Connection to broker h:1 is established again');
    expect(said.slice(WARNINGS_MAX + 1)).toEqual(['info Connection to broker h:1 is established again']);
  });

  it('says once what several clients say in the same words', () => {
    const { said, logger, clock } = create();
    for (let client = 0; client < 3; client++) logger.warn('The coordinator of group g is silent.');
    clock.advance(WARNING_PAUSE_MS);
    logger.warn('The coordinator of group g is silent.');
    expect(said).toHaveLength(2);
  });

  it('lets other warnings and errors through with their fields, and keeps milestones for debugging', () => {
    const { said, logger } = create();
    logger.warn('slow', { error: new Error('why'), count: 2 });
    logger.error('broken');
    logger.info('Resetting the position of t-0 to offset 0.');
    expect(said).toEqual(['warn slow (error=why, count=2)', 'error broken']);
  });
});
