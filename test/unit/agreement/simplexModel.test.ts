import { describe, expect, test } from "vitest";
import { replay } from "../../model/replay.ts";
import { ACTIONS, readTraces } from "../../model/trace.ts";
import { CORE_URL, loadCore } from "../../sim/agreement/core.ts";

const core = await loadCore(CORE_URL);
const traces = readTraces();

describe("traces of the model", () => {
  test.each(traces.map((trace, index) => ({ index, trace })))(
    "number $index is what the core does",
    ({ trace }) => {
      expect(replay(core, trace)).toBeNull();
    },
  );

  test("show every action", () => {
    const actions = new Set(traces.flatMap(({ steps }) => steps.map(({ action }) => action)));
    expect([...actions].sort()).toEqual([...ACTIONS].sort());
  });

  test("are not followed by a core that does something else", () => {
    const [trace] = traces;
    const steps = trace!.steps.map((step, i) =>
      i === 0 ? { ...step, viewAfter: step.viewAfter + 1 } : step,
    );
    expect(replay(core, { ...trace!, steps })).not.toBeNull();
    expect(replay(core, { ...trace!, votes: trace!.votes.slice(1) })).not.toBeNull();
  });
});
