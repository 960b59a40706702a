/**
 * Turns figures into what a person or a program reads. A figure is `{ subject, workload, metric, value, unit, broker? }`;
 * `broker` is `kafka` or `ours` where a bench runs on both.
 */

/** One JSON object a line. */
export function jsonLines(bench, figures) {
  return figures
    .map(({ subject, workload, metric, value, unit, broker }) =>
      JSON.stringify({ bench, subject, workload, metric, value, unit, node: process.version, broker }),
    )
    .join('\n');
}

function shown(value) {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** A table for each broker. */
export function tables(bench, figures) {
  const brokers = [...new Set(figures.map(({ broker }) => broker))];
  return brokers
    .map((broker) => {
      const own = figures.filter((figure) => figure.broker === broker);
      return table(
        broker === undefined ? bench : `${bench} on ${broker === 'ours' ? 'our broker' : 'Apache Kafka'}`,
        own,
      );
    })
    .join('\n\n');
}

/** A table with a line for each workload and metric, a column for each subject, and our figure divided by the best peer's. */
function table(bench, figures) {
  const subjects = [...new Set(figures.map(({ subject }) => subject))];
  const lines = new Map();
  for (const { workload, metric, unit, subject, value } of figures) {
    const key = `${workload} | ${metric} (${unit})`;
    if (!lines.has(key)) lines.set(key, new Map());
    lines.get(key).set(subject, value);
  }
  const head = [`${bench}, Node ${process.version}`, ...subjects, 'ours / best peer'];
  const rows = [...lines].map(([key, values]) => {
    const peers = subjects
      .filter((subject) => subject !== 'ours' && values.has(subject))
      .map((name) => values.get(name));
    const best = /CPU-s per|\(ms\)|\(MB\)/.test(key) ? Math.min(...peers) : Math.max(...peers);
    const ratio = peers.length > 0 && values.has('ours') ? `${shown(values.get('ours') / best)}x` : '';
    return [key, ...subjects.map((subject) => (values.has(subject) ? shown(values.get(subject)) : '')), ratio];
  });
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  return all
    .map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  '),
    )
    .join('\n');
}
