/**
 * The API over a store, as a process of its own, so that who asks and who answers do not share an event loop: `node
 * apiServer.ts STORE`. It prints its URL, publishes a round of that moment for each line on standard input, and ends
 * with that.
 */
import { createInterface } from "node:readline";
import { createSystemClock } from "../../node/src/host/clock.ts";
import { createSilentLog } from "../../node/src/host/log.ts";
import { PRESETS } from "../../protocol/src/network/presets.ts";
import { createApi } from "../../validator/src/api/api.ts";
import { EventHub } from "../../validator/src/api/eventHub.ts";
import { createValidatorMetrics, type MetricSources } from "../../validator/src/metrics.ts";
import { openSqliteStore } from "../../validator/src/store/sqliteStore/sqliteStore.ts";
import { API_NETWORK_ID, apiRound } from "./apiStore.ts";

const [path] = process.argv.slice(2);
// As the validator opens its store: it is the writer, though nothing is written here.
const genesis = { hotspots: [], accounts: [], validators: [], seats: [] };
const store = await openSqliteStore({ path: path!, networkId: API_NETWORK_ID, genesis });
const events = new EventHub();
const clock = createSystemClock();
/** Nobody asks this process for what an agreement or an inbox would say. */
const metrics = createValidatorMetrics({} as MetricSources);
const api = await createApi(
  {
    network: { name: "bench", id: API_NETWORK_ID, parameters: PRESETS.mainnet, writeGenesis: () => "{}" },
    validator: API_NETWORK_ID,
    version: "0.0.0",
    // The limit is looked up and counted as for anybody; it is only never reached.
    requestsPerMinute: Number.MAX_SAFE_INTEGER,
  },
  {
    store,
    events,
    metrics,
    clock,
    log: createSilentLog(),
    exposeMetrics: metrics.expose,
    status: () => ({ peers: 3, notReady: null }),
    submitTransaction: async () => ({ id: null, reason: "malformed" }),
    isPending: () => false,
    traceMessage: async () => null,
    agreement: { rewardCert: () => null, isConnected: () => null },
    ledger: { rewardProof: async () => null },
  },
);
process.stdout.write(`${await api.listen({ host: "127.0.0.1", port: 0 })}\n`);
let round = (await store.latestRound())?.round ?? -1;
for await (const _ of createInterface({ input: process.stdin })) {
  round++;
  events.publish({ ...apiRound(round), timeMs: clock.nowMs() });
}
await api.close();
await store.close();
