/** docker-compose.yml, the Dockerfiles and Prometheus' targets, where one says what another repeats. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const compose = read("docker-compose.yml");
const services = [...compose.matchAll(/^ {2}([a-z]+(?:-\d+)?):(?= \{|\n {4})/gm)].map((match) => match[1]!);
const numbered = (name: string) => services.filter((service) => new RegExp(`^${name}-\\d+$`).test(service));

/** The text of a service or an anchor, then that of whatever it merges: what is said first counts. */
function resolve(text: string): string {
  const merged = /<<: \[?((?:\*[\w-]+(?:, )?)+)/.exec(text)?.[1]?.split(", ") ?? [];
  const anchors = merged.map(
    (name) => new RegExp(`^\\S+: &${name.slice(1)}\\n(?: .*\\n)+`, "m").exec(compose)![0],
  );
  return [text, ...anchors.map(resolve)].join("");
}
const serviceOf = (name: string): string =>
  resolve(new RegExp(`^ {2}${name}:(?: \\{.*|(?=\\n {4}).*)\\n(?: {4}.*\\n)*`, "m").exec(compose)![0]);

describe("containers", () => {
  test("install their packages in one stage, the same to the letter, so that it is made once", () => {
    const stages = ["validator", "node", "test/devnet"].map(
      (folder) => /^FROM \S+ AS packages\n[\s\S]*?(?=^FROM )/m.exec(read(`${folder}/Dockerfile`))![0],
    );
    expect(new Set(stages).size).toBe(1);
  });

  test("have each image built by one service of a profile, and by no other", () => {
    const ours = services
      .map((name) => ({ name, text: serviceOf(name) }))
      .filter(({ text }) => /image: hexbeacon-/.test(text));
    const read = (text: string, key: string) => new RegExp(`\\b${key}: (.*?),?$`, "m").exec(text)?.[1];
    const groups = Map.groupBy(ours, ({ text }) => `${read(text, "image")} ${read(text, "profiles")}`);
    expect([...groups.keys()]).toHaveLength(4);
    for (const [what, members] of groups) {
      const builders = members.filter(({ text }) => read(text, "build") !== undefined);
      expect([what, builders.length]).toEqual([what, 1]);
      for (const { name, text } of members) {
        const policy = read(text, "build") === undefined ? "never" : undefined;
        expect([name, read(text, "pull_policy")]).toEqual([name, policy]);
      }
    }
  });

  test("run a hotspot with the memory that its package gives it", () => {
    const [launcher, image] = [read("node/packaging/debian/hexbeacon"), read("node/Dockerfile")];
    const malloc = [...launcher.matchAll(/^export (\w+)="\$\{\w+:-(\d+)\}"$/gm)].map(
      ([, name, value]) => `${name}=${value}`,
    );
    expect(malloc).toHaveLength(3);
    const environment = /^ENV [\s\S]*?[^\\]$/m.exec(image)![0].split(/\s+/);
    expect(environment).toEqual(expect.arrayContaining(malloc));
    const flags = /node ((?:--\S+ )+)\$lean/.exec(launcher)![1]!.trim().split(" ");
    const lean = /lean="([^"]+)"/.exec(launcher)![1]!.split(" ");
    expect(JSON.parse(/^ENTRYPOINT (.*)$/m.exec(image)![1]!)).toEqual([
      ...["node", ...flags, ...lean, "node/src/cli/main.ts", "node"],
    ]);
  });

  test("give a validator the command of its image, and the operator's flags", () => {
    const { 1: command } = /^CMD (.*)$/m.exec(read("validator/Dockerfile"))!;
    expect(serviceOf("validator")).toContain(
      `command: "${JSON.parse(command!).join(" ")} \${HEXBEACON_FLAGS:- }"`,
    );
  });

  test("publish on loopback only", () => {
    const published = [...compose.matchAll(/"([^"\s]+:\d+:\d+)"/g)].map((match) => match[1]!);
    expect(published.length).toBeGreaterThan(3);
    // Peers must reach a real validator; opening it to them is its operator's word.
    const isLocal = (port: string) => /^(?:127\.0\.0\.1|\$\{HEXBEACON_PEERS_ON:-127\.0\.0\.1\}):/.test(port);
    expect(published.filter((port) => !isLocal(port))).toEqual([]);
  });

  test("have a home, a place on the air and a scrape target for every validator and hotspot", () => {
    const members = [...numbered("validator"), ...numbered("hotspot")];
    expect(members.length).toBeGreaterThan(7);
    const homes = [...compose.matchAll(/^ +- (\S+):\/homes\/(\S+)$/gm)].map(([, volume, home]) => [
      volume,
      home,
    ]);
    expect(homes.toSorted()).toEqual(members.map((name) => [name, name]).toSorted());
    const counts = [...compose.matchAll(/--hotspots, "(\d+)"/g)].map((match) => Number(match[1]));
    expect(counts).toEqual([numbered("hotspot").length, numbered("hotspot").length]);
    const validators = /--validators, "(\d+)"/.exec(compose)?.[1];
    // Fewer than four agree only while all of them run.
    expect(numbered("validator").length).toBeGreaterThanOrEqual(4);
    expect(Number(validators)).toBe(numbered("validator").length);
    const config = read("validator/observability/prometheus/prometheus.yml");
    const targets = [...config.matchAll(/((?:validator|hotspot)-\d+):\d+/g)].map((match) => match[1]!);
    expect(targets.toSorted()).toEqual(members.toSorted());
  });
});
