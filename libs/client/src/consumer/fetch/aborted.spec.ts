/**
 * The aborted filter: every way in which transactions can lie in a response.
 */
import { AbortedFilter, type AbortedTransaction, type FilteredBatch } from './aborted.js';

/** `5-7 p1 data`: a transactional batch of producer 1 with the offsets 5 to 7. */
function parse(text: string): FilteredBatch {
  const [offsets = '', producer = '', kind = ''] = text.split(' ');
  const lastOffset = Number(offsets.split('-').at(-1));
  return {
    lastOffset,
    producerId: producer === 'none' ? -1 : Number(producer.slice(1)),
    transactional: kind !== 'plain',
    abortMarker: kind === 'abort',
  };
}

interface Row {
  name: string;
  aborted: [producerId: number, firstOffset: number][];
  batches: string[];
  dropped: string[];
}

const TABLE: Row[] = [
  { name: 'nothing aborted', aborted: [], batches: ['0-4 p1 data', '5 p1 commit'], dropped: [] },
  {
    name: 'one aborted, then a committed one of the same producer',
    aborted: [[1, 0]],
    batches: ['0-4 p1 data', '5 p1 abort', '6-7 p1 data', '8 p1 commit'],
    dropped: ['0-4 p1 data'],
  },
  {
    name: 'the same producer aborts twice',
    aborted: [
      [1, 0],
      [1, 6],
    ],
    batches: ['0-4 p1 data', '5 p1 abort', '6-7 p1 data', '8 p1 abort', '9 p1 data'],
    dropped: ['0-4 p1 data', '6-7 p1 data'],
  },
  {
    name: 'the fetch begins inside two interleaved aborted transactions',
    aborted: [
      [2, 3],
      [1, 0],
    ],
    batches: ['10-11 p1 data', '12 p2 data', '13 p1 abort', '14 p2 data', '15 p2 abort', '16 p2 data'],
    dropped: ['10-11 p1 data', '12 p2 data', '14 p2 data'],
  },
  {
    name: 'the marker lies in a later response',
    aborted: [[1, 2]],
    batches: ['0-1 p2 data', '2-9 p1 data', '10-11 p1 data'],
    dropped: ['2-9 p1 data', '10-11 p1 data'],
  },
  {
    name: 'records that are not transactional are kept, of any producer',
    aborted: [[1, 0]],
    batches: ['0 p1 data', '1 p1 plain', '2 none plain', '3 p2 plain'],
    dropped: ['0 p1 data'],
  },
  {
    name: 'a transaction that begins later does not touch what comes before it',
    aborted: [[1, 5]],
    batches: ['0-3 p1 data', '4 p1 commit', '5 p1 data', '6 p1 abort'],
    dropped: ['5 p1 data'],
  },
  {
    name: 'the marker of another producer ends nothing',
    aborted: [[1, 0]],
    batches: ['0 p1 data', '1 p2 abort', '2 p1 data'],
    dropped: ['0 p1 data', '2 p1 data'],
  },
];

describe('AbortedFilter', () => {
  it.each(TABLE)('$name', ({ aborted, batches, dropped }) => {
    const transactions: AbortedTransaction[] = aborted.map(([producerId, firstOffset]) => ({
      producerId,
      firstOffset,
    }));
    const filter = new AbortedFilter(transactions);
    expect(batches.filter((batch) => filter.drops(parse(batch)))).toEqual(dropped);
  });
});
