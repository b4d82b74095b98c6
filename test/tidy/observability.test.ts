/**
 * Dashboards, alerts and metrics go together: every metric stands on a dashboard, every query names a metric that
 * exists and parses, and every alert has a runbook and a fault that fires it.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const PROMETHEUS = join(ROOT, "validator/observability/prometheus");
const DASHBOARDS = join(ROOT, "validator/observability/grafana/dashboards");
const ALERT_TESTS = ["alerts.validators.test.yml", "alerts.hotspots.test.yml"];
const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;

/** What Prometheus says of a target itself, and what prom-client says of any process. */
const FOREIGN_METRICS = [
  "up",
  "process_cpu_seconds_total",
  "process_resident_memory_bytes",
  "process_start_time_seconds",
  "nodejs_heap_size_used_bytes",
  "nodejs_eventloop_lag_p99_seconds",
];

/** Names of the metrics of a role's one file, by its own literals, whatever helper they are made with. */
function namesIn(file: string, prefix: string): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  const names = [...text.matchAll(/"([a-z][a-z0-9_]*)"/g)].map((match) => match[1]!);
  return names.filter((name) => name.startsWith("hexbeacon_")).map((name) => prefix + name);
}

/** The hotspot's file puts a prefix before the first argument of its helpers. */
function hotspotNames(): string[] {
  const text = readFileSync(join(ROOT, "node/src/hotspot/metrics.ts"), "utf8");
  const calls = text.matchAll(/\b(?:counter|gauge|takeOver)(?:<[^>]*>)?\(\s*"([a-z_]+)"/g);
  return [...calls].map((match) => `hexbeacon_hotspot_${match[1]!}`);
}

const VALIDATOR_FILES = [
  "validator/src/metrics.ts",
  "validator/src/agreementMetrics.ts",
  "validator/src/api/httpMetrics.ts",
];
const metrics = [...new Set([...VALIDATOR_FILES.flatMap((file) => namesIn(file, "")), ...hotspotNames()])];

type Panel = {
  readonly title: string;
  readonly type: string;
  readonly targets?: { readonly expr: string }[];
};
type Dashboard = { readonly uid: string; readonly panels: readonly Panel[] };

const dashboards = readdirSync(DASHBOARDS).map(
  (file) => JSON.parse(readFileSync(join(DASHBOARDS, file), "utf8")) as Dashboard,
);
const panelQueries = dashboards.flatMap(({ uid, panels }) =>
  panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ where: `${uid}: ${title}`, expr })),
  ),
);
const alertsText = readFileSync(join(PROMETHEUS, "alerts.yml"), "utf8");
const alerts = alertsText
  .split(/^ {6}- alert: /m)
  .slice(1)
  .map((text) => ({ where: text.slice(0, text.indexOf("\n")), expr: /expr: (.*)/.exec(text)![1]!, text }));
const queries = [...panelQueries, ...alerts];

/** Metrics that a PromQL expression reads: its words that are no function, keyword, label or duration. */
function metricsOf(expr: string): string[] {
  const bare = expr
    .replace(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"/g, " ")
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, " ")
    .replace(/[a-z_0-9]+\s*\(/g, "(");
  const words = bare.match(/\b[a-z_][a-z_0-9]*/g) ?? [];
  return words
    .filter((word) => !["and", "or", "unless", "bool", "offset"].includes(word))
    .map((word) => word.replace(/^(hexbeacon_\w+_seconds)_(?:bucket|count|sum)$/, "$1"));
}

describe("observability", () => {
  test("puts every metric on a dashboard", () => {
    expect(metrics.length).toBeGreaterThan(40);
    const shown = new Set(panelQueries.flatMap(({ expr }) => metricsOf(expr)));
    expect(metrics.filter((name) => !shown.has(name))).toEqual([]);
  });

  test("asks for metrics that exist", () => {
    const known = new Set([...metrics, ...FOREIGN_METRICS]);
    const wrong = queries.flatMap(({ where, expr }) =>
      metricsOf(expr)
        .filter((name) => !known.has(name))
        .map((name) => `${where} asks for ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test("has a runbook for every alert, and no runbook besides", () => {
    const guide = readFileSync(join(ROOT, "docs/operating-a-validator.md"), "utf8");
    const runbooks = [...guide.matchAll(/^### (Hexbeacon\w+)$/gm)].map((match) => match[1]!);
    expect(alerts.map(({ where }) => where).toSorted()).toEqual(runbooks.toSorted());
    for (const { where, text } of alerts) {
      expect(text).toContain(`runbook_url: docs/operating-a-validator.md#${where.toLowerCase()}\n`);
    }
  });

  test("has a case for every alert in which it fires", () => {
    const cases = ALERT_TESTS.map((file) => readFileSync(join(PROMETHEUS, file), "utf8")).join("\n");
    const silent = alerts.filter(
      ({ where }) => !new RegExp(`alertname: ${where}\\n\\s+exp_alerts:\\n\\s+- exp_labels`).test(cases),
    );
    expect(silent.map(({ where }) => where)).toEqual([]);
  });

  test.skipIf(!hasPromtool)("has a configuration and alerts that promtool accepts (needs promtool)", () => {
    const run = (...args: string[]) => execFileSync("promtool", args, { cwd: PROMETHEUS, encoding: "utf8" });
    expect(run("check", "config", "prometheus.yml")).toContain(`${alerts.length} rules found`);
    expect(run("test", "rules", ...ALERT_TESTS)).toContain("SUCCESS");
  });

  test.skipIf(!hasPromtool)("has panels whose queries parse (needs promtool)", () => {
    const folder = mkdtempSync(join(tmpdir(), "hexbeacon-panels-"));
    const rules = panelQueries.map(({ expr }, index) => ({
      record: `panel:${index}`,
      expr: expr.replaceAll("$__rate_interval", "1m").replaceAll("$instance", "one"),
    }));
    const file = join(folder, "panels.json");
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ groups: [{ name: "panels", rules }] }));
    try {
      expect(execFileSync("promtool", ["check", "rules", file], { encoding: "utf8" })).toContain("SUCCESS");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("numbers a dashboard's panels apart", () => {
    for (const { panels } of dashboards) {
      const ids = panels.map((panel) => (panel as unknown as { id: number }).id);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });
});
