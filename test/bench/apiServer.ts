/**
 * The API over a store, as a process of its own, so that who asks and who answers do not share an event loop: `node
 * apiServer.ts STORE`. As in a validator it has a thread for itself, beside one that here has nothing else to do. It
 * prints its URL, publishes a round of that moment for each line on standard input, and ends with that.
 */
import { createInterface } from "node:readline";
import { createSystemClock } from "../../node/src/host/clock.ts";
import { createLog } from "../../node/src/host/log.ts";
import { PRESETS } from "../../protocol/src/network/presets.ts";
import { listEvents } from "../../validator/src/api/eventHub.ts";
import { ApiThread } from "../../validator/src/api/thread/apiThread.ts";
import { openSqliteStore } from "../../validator/src/store/sqliteStore/sqliteStore.ts";
import { API_NETWORK_ID, apiRound } from "./apiStore.ts";

const [storePath] = process.argv.slice(2) as [string];
const nobody = { validators: [], accounts: [], hotspots: [] };
// As the validator opens its store: it is the writer, though nothing is written here.
const store = await openSqliteStore({
  path: storePath,
  networkId: API_NETWORK_ID,
  genesis: { ...nobody, seats: [] },
});
const clock = createSystemClock();
const api = new ApiThread(
  {
    host: "127.0.0.1",
    port: 0,
    storePath,
    genesis: { name: "bench", timeMs: 0, seed: API_NETWORK_ID, parameters: PRESETS.mainnet, ...nobody },
    networkId: API_NETWORK_ID,
    validator: API_NETWORK_ID,
    version: "0.0.0",
    corsOrigins: [],
    trustProxies: [],
    // The limit is looked up and counted as for anybody; it is only never reached.
    requestsPerMinute: Number.MAX_SAFE_INTEGER,
  },
  {
    clock,
    log: createLog({ level: "info", format: "plain" }),
    live: {
      status: async () => ({ peers: 3, notReady: null }),
      exposeMetrics: async () => ({ contentType: "text/plain", text: "" }),
      connections: async () => [],
      isPending: async () => false,
      rewardCert: async () => null,
      rewardProof: async () => null,
      appeal: async () => null,
      submitTransaction: async () => ({ id: null, reason: "malformed" }),
      traceMessage: async () => null,
    },
  },
);
await api.open();
process.stdout.write(`http://127.0.0.1:${api.port}\n`);
let round = (await store.latestRound())?.round ?? -1;
for await (const _ of createInterface({ input: process.stdin })) {
  round++;
  api.publish(listEvents({ ...apiRound(round), timeMs: clock.nowMs() }));
}
await api.close();
await store.close();
