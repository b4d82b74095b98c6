/**
 * docker-compose.yml, brought up for real: images are built, the network pays, rewards are there at the published port,
 * Prometheus sees everybody and answers every panel, one more validator joins by a checkpoint, the network goes on without
 * any one of its own, and all of it stops in time.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ContainerShell, findContainerShell, openContainerShell } from "./containerShell.ts";

const ROOT = join(import.meta.dirname, "../../..");
const DASHBOARDS = join(ROOT, "validator/observability/grafana/dashboards");
const API = "http://127.0.0.1:8080";
const PROMETHEUS = "http://127.0.0.1:9090";
const VALIDATORS = 4;
const HOTSPOTS = 6;
/** All but Grafana, whose image the stand-in does not have. */
const SERVICES = [
  "homes",
  ...Array.from({ length: VALIDATORS }, (_, index) => `validator-${index + 1}`),
  ...Array.from({ length: HOTSPOTS }, (_, index) => `hotspot-${index + 1}`),
  "air",
  "prometheus",
];
/** Short epochs: pay is what everything here waits for. */
const EPOCH_SECONDS = 12;
const MINUTE_MS = 60_000;
const POLL_MS = 1_000;

const isAsked = process.env.HEXBEACON_CONTAINERS === "1";
const found = isAsked
  ? findContainerShell()
  : ({
      ok: false,
      reason: "CI's quarter of an hour has no room for their minutes; npm run test:containers",
    } as const);

type Rewards = { readonly items: readonly { readonly paid: string }[] };
type Epoch = { readonly epoch: number; readonly rewardRoot: string; readonly stateRoot: string };
type Epochs = { readonly items: readonly Epoch[] };
type Answer = { readonly data: { readonly result: readonly { readonly value: [number, string] }[] } };

async function getJson<Json>(url: string): Promise<Json> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Json;
}

/** Asks until the answer is as wanted. There is no event to wait for: what is tested is what others can ask. */
async function waitFor<Json>(url: string, isWanted: (json: Json) => boolean): Promise<Json> {
  for (;;) {
    const json = await getJson<Json>(url).catch(() => null);
    if (json !== null && isWanted(json)) return json;
    await delay(POLL_MS);
  }
}

const query = (expr: string) => `${PROMETHEUS}/api/v1/query?query=${encodeURIComponent(expr)}`;

/** The command of a Dockerfile's healthcheck, as words for a shell. */
function readHealthcheck(dockerfile: string): string {
  const match = /HEALTHCHECK[^[]*CMD (\[.*\])/.exec(readFileSync(join(ROOT, dockerfile), "utf8"))!;
  return (JSON.parse(match[1]!) as string[]).map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

describe.skipIf(!found.ok)(`containers${found.ok ? "" : ` (skipped: ${found.reason})`}`, () => {
  let shell: ContainerShell;
  /** The container of a service, whatever the engine joins names with. */
  const containerOf = async (service: string): Promise<string> => {
    const names = (await shell.run("docker ps -a --format '{{.Names}}'")).split("\n");
    return names.find((name) => new RegExp(`^[a-z0-9-]+[_-]${service}[_-]1$`).test(name.trim()))!.trim();
  };

  beforeAll(async () => {
    if (!found.ok) return;
    shell = openContainerShell(found.argv);
    await shell.run("docker compose down -v || true");
    // As in a clean clone, but for what was built in another state of it.
    const up = `${found.compose} up -d --build ${SERVICES.join(" ")}`;
    await shell.run(`HEXBEACON_EPOCH_SECONDS=${EPOCH_SECONDS} ${up}`);
  }, 15 * MINUTE_MS);

  afterAll(async () => {
    if (!found.ok) return;
    await shell.run("docker compose down -v");
    shell.close();
  }, 2 * MINUTE_MS);

  test(
    "pay, and serve rewards through the published port",
    async () => {
      const { items } = await waitFor<Rewards>(
        `${API}/v1/epochs/latest/rewards`,
        (rewards) => rewards.items.length > 0,
      );
      expect(items.every(({ paid }) => /^[1-9]\d*$/.test(paid))).toBe(true);
    },
    3 * MINUTE_MS,
  );

  test("run without root, on a read-only file system, and are healthy", async () => {
    for (const [service, dockerfile] of [
      ["validator-1", "validator/Dockerfile"],
      ["hotspot-1", "node/Dockerfile"],
    ] as const) {
      const name = await containerOf(service);
      expect((await shell.run(`docker exec ${name} id -u`)).trim()).toBe("1000");
      expect(await shell.run(`docker exec ${name} sh -c 'touch /hexbeacon/x 2>&1 || true'`)).toMatch(
        /Read-only/,
      );
      await shell.run(`docker exec ${name} ${readHealthcheck(dockerfile)}`);
    }
  });

  test(
    "are all seen by Prometheus, which answers the query of every panel",
    async () => {
      const sum = (json: Answer) => json.data.result[0]?.value[1];
      await waitFor<Answer>(query("sum(up)"), (json) => sum(json) === String(HOTSPOTS + VALIDATORS));
      const panels = readdirSync(DASHBOARDS).flatMap(
        (file) =>
          (
            JSON.parse(readFileSync(join(DASHBOARDS, file), "utf8")) as {
              panels: { targets?: { expr: string }[] }[];
            }
          ).panels,
      );
      const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
      for (const expr of queries) {
        await getJson(query(expr.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".+")));
      }
      expect(queries.length).toBeGreaterThan(50);
      // The first epochs may have paid nothing, while containers were still being started, and Prometheus learns later.
      await waitFor<Answer>(query('ALERTS{alertstate="firing"}'), ({ data }) => data.result.length === 0);
    },
    2 * MINUTE_MS,
  );

  test(
    "are joined by a validator of its own, from a checkpoint, as the guide says",
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "hexbeacon-compose-"));
      try {
        const genesis = join(folder, "genesis.json");
        writeFileSync(
          genesis,
          await shell.run(`docker exec ${await containerOf("validator-1")} cat /data/genesis.json`),
        );
        const { epoch, stateRoot } = (await getJson<Epochs>(`${API}/v1/epochs`)).items[0]!;
        // `docker compose run`, spelled out: not every stand-in mounts what it is given, nor calls the project by its name.
        const project = (await containerOf("validator-1")).replace(/[_-]validator-1[_-]1$/, "");
        const volumes = `-v ${project}_validator:/data -v ${genesis}:/genesis.json:ro`;
        const options = `--rm --network ${project}_default ${volumes}`;
        const run = (command: string) => shell.run(`docker run ${options} hexbeacon-validator ${command}`);
        await run("init --home /data --genesis /genesis.json");
        await run(
          `join --home /data --genesis /genesis.json --checkpoint ${epoch}:${stateRoot} --from /dns4/validator-1/tcp/4467`,
        );
        // With a flag of its own, as an operator gives it.
        const environment = "COMPOSE_PROFILES=network,validator HEXBEACON_FLAGS='--requests-per-minute 321'";
        await shell.run(`${environment} docker compose up -d --no-deps validator`);
        const isLater = ({ items }: Epochs) => (items[0]?.epoch ?? -1) > epoch;
        const [own] = (await waitFor<Epochs>("http://127.0.0.1:8081/v1/epochs", isLater)).items;
        const { headers } = await fetch("http://127.0.0.1:8081/v1/epochs");
        expect(headers.get("ratelimit-limit")).toBe("321");
        const theirs = await waitFor<Epochs>(
          `${API}/v1/epochs`,
          ({ items }) => items[0]!.epoch >= own!.epoch,
        );
        expect(theirs.items.find((item) => item.epoch === own!.epoch)).toEqual(own);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    2 * MINUTE_MS,
  );

  test(
    "pay on while a validator is gone, which then pays the same",
    async () => {
      const name = await containerOf("validator-2");
      await shell.run(`docker stop -t 0 ${name}`);
      const newest = (await getJson<Epochs>(`${API}/v1/epochs`)).items[0]!;
      const isLater = ({ items }: Epochs) => items[0]!.epoch > newest.epoch;
      const without = await waitFor<Epochs>(`${API}/v1/epochs`, isLater);
      await shell.run(`docker start ${name}`);
      const { epoch } = without.items[0]!;
      const itsEpochs = await waitFor<Epochs>(
        "http://127.0.0.1:8082/v1/epochs",
        ({ items }) => items.length > 0 && items[0]!.epoch >= epoch,
      );
      const rootOf = ({ items }: Epochs) => items.find((item) => item.epoch === epoch)?.rewardRoot;
      expect(rootOf(itsEpochs)).toBe(rootOf(without));
    },
    5 * MINUTE_MS,
  );

  test(
    "are started again by themselves after a kill, here the first validator, and pay on",
    async () => {
      const before = await getJson<Epochs>(`${API}/v1/epochs`);
      const name = await containerOf("validator-1");
      const startOf = () => shell.run(`docker inspect -f '{{.State.StartedAt}} {{.State.Running}}' ${name}`);
      const started = await startOf();
      // From inside, as a fault would: what an engine kills when it is told to, its restart policy does not start.
      await shell.run(`docker exec ${name} sh -c 'kill -9 -1' || true`);
      for (let now = started; now === started || !now.includes("true"); now = await startOf())
        await delay(POLL_MS);
      const newest = before.items[0]!;
      const after = await waitFor<Epochs>(`${API}/v1/epochs`, ({ items }) => items[0]!.epoch > newest.epoch);
      expect(after.items.find(({ epoch }) => epoch === newest.epoch)).toEqual(newest);
    },
    4 * MINUTE_MS,
  );

  test(
    "stop at once in the moment of their start, when no program has a handler for signals yet",
    async () => {
      const name = await containerOf("validator-3");
      const startMs = Date.now();
      await shell.run(`docker restart -t 0 ${name} && docker stop -t 30 ${name}`);
      const code = (await shell.run(`docker inspect -f '{{.State.ExitCode}}' ${name}`)).trim();
      // By the signal, or, when it was quicker than that, by its own handler.
      expect(["143", "0"]).toContain(code);
      expect(Date.now() - startMs).toBeLessThan(25_000);
    },
    MINUTE_MS,
  );

  test(
    "stop within the grace period",
    async () => {
      for (const service of ["validator-1", "hotspot-1", "air"]) {
        const name = await containerOf(service);
        await shell.run(`docker stop ${name}`);
        const code = (await shell.run(`docker inspect -f '{{.State.ExitCode}}' ${name}`)).trim();
        expect([service, code, code === "0" ? "" : await shell.run(`docker logs --tail 20 ${name}`)]).toEqual(
          [service, "0", ""],
        );
      }
    },
    MINUTE_MS,
  );
});
