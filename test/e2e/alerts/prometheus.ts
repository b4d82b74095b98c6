/**
 * A real Prometheus with this project's alert rules, their times shortened, and what it tells an Alertmanager: tests
 * wait for that, as an operator does.
 */
import { spawn, spawnSync } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { findFreePorts } from "../../devnet/src/validators.ts";

const RULES = join(import.meta.dirname, "../../../validator/observability/prometheus/alerts.yml");

export const hasPrometheus = spawnSync("prometheus", ["--version"]).status === 0;

/** Four looks at a target, so that a rate exists whichever of them the window cuts off. */
const LEAST_SECONDS = 2;
/** The devnet's and mainnet's days and hours are the test network's epochs: two of them pass in this. */
const MOST_SECONDS = 6;
const SHORTENED = 60;
/** The slowest alerts take two of the longest times above and an epoch. */
const PATIENCE_MS = 60_000;
const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** The same rules for a network that is `SHORTENED` times faster: nothing but windows and patience becomes shorter. */
function shortenRules(text: string): string {
  const shorten = (count: string, unit: string): string => {
    const seconds = (Number(count) * SECONDS[unit as keyof typeof SECONDS]) / SHORTENED;
    return `${Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, Math.round(seconds)))}s`;
  };
  return (
    text
      .replace(/\[(\d+)([smhd])\]/g, (_, count, unit) => `[${shorten(count, unit)}]`)
      .replace(/\boffset (\d+)([smhd])\b/g, (_, count, unit) => `offset ${shorten(count, unit)}`)
      // How far ahead a trend is drawn out, in days: as many times its window's length as before.
      .replace(/(\d+) \* 86400/g, (_, days) => `${Number(days) * 8 * MOST_SECONDS}`)
      .replace(/\bfor: (\d+)([smhd])\b/g, (_, count, unit) => `for: ${shorten(count, unit)}`)
  );
}

export type Targets = { readonly validators: readonly string[]; readonly hotspots: readonly string[] };

export type AlertWatch = {
  /** `name instance` of each alert that fires now. */
  readonly firing: () => ReadonlySet<string>;
  /** Resolves when each of these has fired since it was called; what is counted in a window fires no longer than that. */
  readonly fired: (...alerts: readonly string[]) => Promise<void>;
  /** Resolves when an alert fires no more, or has never fired. */
  readonly resolved: (alert: string) => Promise<void>;
  readonly stop: () => Promise<void>;
};

type SentAlert = {
  readonly labels: { readonly alertname: string; readonly instance?: string };
  readonly endsAt: string;
};

/** Starts Prometheus in a folder of its own. @param targets `host:port` of each, as named by the alerts' instances. */
export async function startPrometheus(folder: string, targets: Targets): Promise<AlertWatch> {
  const firing = new Map<string, number>();
  const changed = new EventEmitter().setMaxListeners(0);
  const receiver = createServer(async (request, response) => {
    for (const { labels, endsAt } of (await json(request)) as SentAlert[])
      firing.set(`${labels.alertname} ${labels.instance ?? ""}`.trim(), Date.parse(endsAt));
    response.end();
    changed.emit("change");
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const { port } = receiver.address() as AddressInfo;
  writeFileSync(join(folder, "alerts.yml"), shortenRules(readFileSync(RULES, "utf8")));
  // JSON is YAML.
  const configuration = {
    global: { scrape_interval: "500ms", scrape_timeout: "500ms", evaluation_interval: "500ms" },
    rule_files: ["alerts.yml"],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${port}`] }] }] },
    scrape_configs: Object.entries(targets).map(([name, hosts]) => ({
      job_name: name,
      static_configs: [{ targets: hosts }],
    })),
  };
  writeFileSync(join(folder, "prometheus.yml"), JSON.stringify(configuration));
  const [webPort] = await findFreePorts(1);
  const child = spawn(
    "prometheus",
    [
      "--config.file=prometheus.yml",
      "--storage.tsdb.path=data",
      `--web.listen-address=127.0.0.1:${webPort}`,
      "--rules.alert.resend-delay=1s",
      "--log.level=warn",
    ],
    { cwd: folder, stdio: "ignore" },
  );
  const isFiring = (alert: string): boolean => (firing.get(alert) ?? 0) > Date.now();
  const list = (): string[] => [...firing.keys()].filter(isFiring);
  /** @throws Error with what is missing, and what fires instead. */
  const until = async (missing: () => readonly string[]): Promise<void> => {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while (missing().length > 0) {
      await once(changed, "change", { signal }).catch(() => {
        throw new Error(`waiting for ${missing().join(", ")}; what fires is ${list().join(", ")}`);
      });
    }
  };
  return {
    firing: () => new Set(list()),
    fired: (...alerts) => {
      const unheard = new Set(alerts);
      return until(() => {
        for (const alert of unheard) if (isFiring(alert)) unheard.delete(alert);
        return [...unheard];
      });
    },
    resolved: (alert) => until(() => (isFiring(alert) ? [`the end of ${alert}`] : [])),
    stop: async () => {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      receiver.closeAllConnections();
      receiver.close();
    },
  };
}
