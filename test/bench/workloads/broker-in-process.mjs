/** Starts our broker inside this process, on a directory that is used again; the library is loaded before anything counts. */
import { createBroker } from '@kafka-template/broker';

/** From the call to the moment a client can connect. */
async function start({ dataDir }) {
  const began = performance.now();
  const broker = await createBroker({ dataDir });
  const startMs = performance.now() - began;
  await broker.close();
  return { startMs };
}

export default { start };
