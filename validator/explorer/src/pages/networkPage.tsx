/** The network as it runs: where it stands, rounds as they are finalized, and who decides on them. */

import { useState } from "preact/hooks";
import type { BeaconEvent, RoundEvent } from "../../../client/api.ts";
import type { Json } from "../../../client/client.ts";
import type { LinkState } from "../data/eventLink.ts";
import { useEvents } from "../data/useEvents.ts";
import { useRoute } from "../data/useRoute.ts";
import { formatCount } from "../ui/format.ts";
import { Page } from "../ui/page.tsx";
import { Empty, Shown } from "../ui/states.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { Fact, Hash, KeyLink, Time } from "../ui/values.tsx";
import { ValidatorTable } from "./network/validatorTable.tsx";

/** Rounds shown, newest first: a screen of them. */
const ROUNDS_SHOWN = 12;

type StatusJson = Json<"/v1/status">;

export function NetworkPage() {
  const status = useRoute("/v1/status");
  const [isPaused, setPaused] = useState(false);
  const [rounds, setRounds] = useState<readonly RoundEvent[]>([]);
  const [beacons, setBeacons] = useState<readonly BeaconEvent[]>([]);
  const link = useEvents({
    handlers: {
      round: (data) => setRounds((last) => [data as RoundEvent, ...last].slice(0, ROUNDS_SHOWN)),
      beacon: (data) => setBeacons((last) => [data as BeaconEvent, ...last].slice(0, ROUNDS_SHOWN)),
      // Where it stands and who has a seat changes with epochs, of which one may have been missed.
      epoch: status.retry,
      gap: status.retry,
    },
    onOpen: status.retry,
    isPaused,
  });
  return (
    <Page title="Network">
      <section class="card" aria-label="Where it stands">
        <Shown what="The status" asked={status}>
          {(data) => <StatusFacts status={data} newest={rounds[0] ?? null} />}
        </Shown>
      </section>
      <section class="card" aria-labelledby="live">
        <div class="beside">
          <h2 id="live">Live</h2>
          <LinkWords state={isPaused ? "paused" : link} />
          <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
            {isPaused ? "Go on" : "Pause"}
          </button>
        </div>
        <div class="cards">
          <RoundTable rounds={rounds} />
          <BeaconList beacons={beacons} />
        </div>
      </section>
      <ValidatorTable epoch={status.data?.epoch ?? null} />
    </Page>
  );
}

const LINK_WORDS: Readonly<Record<LinkState | "paused", string>> = {
  connecting: "Connecting…",
  open: "As it happens",
  closed: "The API takes no listener now; it is asked again soon.",
  paused: "Paused",
};

function LinkWords({ state }: { readonly state: LinkState | "paused" }) {
  return <span class={state === "closed" ? "bad" : "dim"}>{LINK_WORDS[state]}</span>;
}

function StatusFacts({
  status,
  newest,
}: {
  readonly status: StatusJson;
  readonly newest: RoundEvent | null;
}) {
  const { network, validator, version, ready, notReady, peers, hotspots, closedEpoch } = status;
  const round = newest?.round ?? status.round;
  const epoch = newest?.epoch ?? status.epoch;
  const done = round === null ? 0 : (round % network.roundsPerEpoch) + 1;
  return (
    <>
      <dl class="facts">
        <Fact label="Network">{network.name}</Fact>
        <Fact label="Round">{round === null ? "none yet" : formatCount(round)}</Fact>
        <Fact label="Epoch">
          <a href="/epochs">{formatCount(epoch)}</a>
        </Fact>
        <Fact label="Last paid epoch">
          {closedEpoch === null ? (
            "none yet"
          ) : (
            <a href={`/epochs/${closedEpoch}`}>{formatCount(closedEpoch)}</a>
          )}
        </Fact>
        <Fact label="Hotspots">
          <a href="/hotspots">{formatCount(hotspots)}</a>
        </Fact>
        <Fact label="This validator">
          <span class={ready ? "good" : "bad"}>{ready ? "ready" : notReady}</span>, {formatCount(peers)} peers
        </Fact>
        <Fact label="Its version">{version}</Fact>
        <Fact label="Its key">
          <a href={`/validators/${encodeURIComponent(validator)}`}>
            <code>{validator}</code>
          </a>
        </Fact>
        <Fact label="Network id">
          <Hash value={network.id} />
        </Fact>
      </dl>
      <label class="progress">
        <span class="dim">
          Epoch {epoch}: round {done} of {network.roundsPerEpoch}
        </span>
        <progress value={done} max={network.roundsPerEpoch} />
      </label>
    </>
  );
}

const ROUND_COLUMNS: readonly Column<RoundEvent>[] = [
  { title: "Round", value: ({ round }) => formatCount(round) },
  { title: "Time", value: ({ timeMs }) => <Time timeMs={timeMs} /> },
  { title: "Messages", kind: "number", value: ({ messages }) => formatCount(messages) },
  { title: "Beacons closed", kind: "number", value: ({ beaconsClosed }) => formatCount(beaconsClosed) },
];

function RoundTable({ rounds }: { readonly rounds: readonly RoundEvent[] }) {
  if (rounds.length === 0) return <Empty>No round has been finalized since this page was opened.</Empty>;
  return (
    <Table
      caption="Rounds, the newest first"
      columns={ROUND_COLUMNS}
      rows={rounds}
      keyOf={({ round }) => round}
    />
  );
}

function BeaconList({ beacons }: { readonly beacons: readonly BeaconEvent[] }) {
  if (beacons.length === 0) return <Empty>No beacon has closed since this page was opened.</Empty>;
  return (
    <div>
      <p class="dim">Beacons that closed, the newest first</p>
      <ul class="list">
        {beacons.map(({ id, hotspot, name, reason, witnesses }) => (
          <li key={id}>
            <KeyLink kind="hotspots" id={hotspot} name={name} />{" "}
            <span class={reason === null ? "good" : "warn"}>
              {reason === null ? `heard by ${formatCount(witnesses.accepted)}` : reason.replaceAll("_", " ")}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
