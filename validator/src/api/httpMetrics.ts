/**
 * What the API tells Prometheus of itself, in a registry of its own: it runs in another thread than all else that is
 * measured, and its lines stand behind the others' on the one page.
 */
import { Gauge, Histogram, Registry } from "prom-client";
import type { ApiMetrics } from "./modules.ts";

/** A point read takes less than a millisecond; an epoch's table, seconds. */
const BUCKETS_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

export type HttpMetrics = ApiMetrics & {
  /** The lines of the page that Prometheus reads. */
  readonly expose: () => Promise<string>;
};

/** Creates the API's metrics. */
export function createHttpMetrics(): HttpMetrics {
  const registers = [new Registry()];
  const requests = new Histogram({
    name: "hexbeacon_http_request_seconds",
    help: "Time to answer a request, by the API's own route, method and class of status.",
    labelNames: ["route", "method", "status"],
    buckets: BUCKETS_SECONDS,
    registers,
  });
  const clients = new Gauge({
    name: "hexbeacon_http_event_clients",
    help: "Clients of the event stream.",
    registers,
  });
  return {
    observeRequest: (route, method, status, seconds) =>
      requests.observe({ route, method, status: `${Math.floor(status / 100)}xx` }, seconds),
    setEventClients: (count) => clients.set(count),
    expose: () => registers[0]!.metrics(),
  };
}
