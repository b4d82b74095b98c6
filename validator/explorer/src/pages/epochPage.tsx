/** An epoch: its books, what was paid to whom, what was refused and why, and a quorum's word for it. */
import type { Reason } from "../../../../protocol/src/evidence/reasons.ts";
import { describeVerdict } from "../../../../protocol/src/evidence/reasonWords.ts";
import type { Epoch, ReasonCounts, RewardLine } from "../../../client/api.ts";
import { apiUrl } from "../data/api.ts";
import { usePages, useRoute } from "../data/useRoute.ts";
import type { PageProps } from "../pages.tsx";
import { formatCount, formatPpm } from "../ui/format.ts";
import { Page } from "../ui/page.tsx";
import { Paged } from "../ui/paged.tsx";
import { Shown } from "../ui/states.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { Amount, Fact, Hash, KeyLink, Time } from "../ui/values.tsx";

export function EpochPage({ params }: PageProps) {
  const epoch = params.epoch!;
  const asked = useRoute("/v1/epochs/{epoch}", { path: { epoch } });
  const number = asked.data?.epoch;
  return (
    <Page
      title={`Epoch ${number ?? epoch}`}
      lead={
        asked.data === null ? undefined : (
          <>
            <Time timeMs={asked.data.startTimeMs} /> to <Time timeMs={asked.data.endTimeMs} />, rounds{" "}
            {formatCount(asked.data.firstRound)} to {formatCount(asked.data.lastRound)}
          </>
        )
      }
    >
      <Shown
        what="The epoch"
        asked={asked}
        missing="No such epoch has closed here: it may still run, or lie before what this validator keeps."
      >
        {(data) => (
          <>
            <Around epoch={data.epoch} />
            <Books epoch={data} />
            <Lines epoch={data.epoch} />
            <Counts epoch={data} />
            <Roots epoch={data} />
            <Certificate epoch={data.epoch} />
          </>
        )}
      </Shown>
    </Page>
  );
}

function Around({ epoch }: { readonly epoch: number }) {
  return (
    <nav class="beside" aria-label="Other epochs">
      {epoch > 0 ? <a href={`/epochs/${epoch - 1}`}>← Epoch {epoch - 1}</a> : null}
      <a href={`/epochs/${epoch + 1}`}>Epoch {epoch + 1} →</a>
    </nav>
  );
}

const POOLS = {
  beacons: "Beacons",
  witnesses: "Witnesses",
  data: "Data transfer",
  validators: "Validators",
} as const;

const POOL_NAMES = ["beacons", "witnesses", "data", "validators"] as const;
type PoolRow = Epoch["pools"]["beacons"] & { readonly name: (typeof POOL_NAMES)[number] };

const POOL_COLUMNS: readonly Column<PoolRow>[] = [
  { title: "Pool", kind: "head", value: ({ name }) => POOLS[name] },
  { title: "Emitted", kind: "number", value: ({ emitted }) => <Amount value={emitted} /> },
  { title: "Carried in", kind: "number", value: ({ carriedIn }) => <Amount value={carriedIn} /> },
  { title: "Paid", kind: "number", value: ({ paid }) => <Amount value={paid} /> },
  { title: "Carried out", kind: "number", value: ({ carriedOut }) => <Amount value={carriedOut} /> },
];

function Books({ epoch: { pools, escrow } }: { readonly epoch: Epoch }) {
  return (
    <section class="card" aria-labelledby="books">
      <h2 id="books">Books</h2>
      <Table
        caption="In each pool, emitted and carried in are paid and carried out, to the base unit."
        columns={POOL_COLUMNS}
        rows={POOL_NAMES.map((name) => ({ name, ...pools[name] }))}
        keyOf={({ name }) => name}
      />
      <p class="dim">
        Escrow: <Amount value={escrow.carriedIn} /> carried in, <Amount value={escrow.withheld} /> withheld,{" "}
        <Amount value={escrow.released} /> released, <Amount value={escrow.returned} /> returned to the pools,{" "}
        <Amount value={escrow.carriedOut} /> carried out.
      </p>
    </section>
  );
}

const LINE_COLUMNS: readonly Column<RewardLine>[] = [
  { title: "Rank", value: ({ rank }) => formatCount(rank) },
  { title: "Hotspot", value: ({ hotspot, name }) => <KeyLink kind="hotspots" id={hotspot} name={name} /> },
  { title: "Beacons", kind: "number", value: ({ beaconPaid }) => <Amount value={beaconPaid} /> },
  { title: "Witnesses", kind: "number", value: ({ witnessPaid }) => <Amount value={witnessPaid} /> },
  { title: "Paid", kind: "number", value: ({ paid }) => <Amount value={paid} /> },
  { title: "Scale", kind: "number", value: ({ scalePpm }) => formatPpm(scalePpm) },
];

function Lines({ epoch }: { readonly epoch: number }) {
  const path = { epoch: `${epoch}` };
  const pages = usePages("/v1/epochs/{epoch}/rewards", { path, query: { limit: 25 } });
  return (
    <section class="card" aria-labelledby="lines">
      <div class="beside">
        <h2 id="lines">Paid to hotspots</h2>
        <a href={apiUrl(`/v1/epochs/${epoch}/rewards?format=csv`)} download>
          CSV
        </a>
      </div>
      <Paged what="The rewards" pages={pages} empty="No hotspot earned anything in this epoch.">
        {(read) => (
          <Table
            columns={LINE_COLUMNS}
            rows={read.flatMap(({ items }) => items)}
            keyOf={({ hotspot }) => hotspot}
          />
        )}
      </Paged>
    </section>
  );
}

const listReasons = (kind: "Beacons" | "Witness reports", counts: ReasonCounts) =>
  Object.entries(counts).map(([reason, count]) => ({ kind, reason: reason as Reason, count }));

function Counts({ epoch: { beacons, witnesses } }: { readonly epoch: Epoch }) {
  // Some reasons are those of beacons and of witness reports.
  const refused = [
    ...listReasons("Beacons", beacons.refused),
    ...listReasons("Witness reports", { ...witnesses.refused, ...witnesses.unpaid }),
  ];
  return (
    <section class="card" aria-labelledby="evidence">
      <h2 id="evidence">Evidence</h2>
      <p>
        {formatCount(beacons.closed)} beacons closed; {formatCount(witnesses.accepted)} witness reports were
        accepted.
      </p>
      {refused.length === 0 ? null : (
        <ul class="list">
          {refused.map(({ kind, reason, count }) => (
            <li key={`${kind} ${reason}`}>
              {kind}: <strong>{formatCount(count)}</strong> {describeVerdict(reason)}{" "}
              <code class="dim">{reason}</code>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Roots({ epoch }: { readonly epoch: Epoch }) {
  const rows = {
    "Reward root": epoch.rewardRoot,
    "State root": epoch.stateRoot,
    "Record's digest": epoch.recordDigest,
    "Inputs' digest": epoch.inputsDigest,
    Seed: epoch.seed,
  };
  return (
    <section class="card" aria-labelledby="roots">
      <h2 id="roots">Roots</h2>
      <dl class="facts">
        {Object.entries(rows).map(([title, value]) => (
          <Fact key={title} label={title}>
            <Hash value={value} />
          </Fact>
        ))}
        <Fact label="Accounts under the reward root">{formatCount(epoch.accounts)}</Fact>
      </dl>
    </section>
  );
}

function Certificate({ epoch }: { readonly epoch: number }) {
  const asked = useRoute("/v1/epochs/{epoch}/certificate", { path: { epoch: `${epoch}` } });
  return (
    <section class="card" aria-labelledby="certificate">
      <h2 id="certificate">Certificate</h2>
      <Shown
        what="The certificate"
        asked={asked}
        missing="This validator has no certificate of this epoch: it is signed in the moments after the end, and old ones are kept by those who were there."
      >
        {({ signers, validators, quorum, attest }) => (
          <>
            <p>
              {formatCount(signers.length)} of {formatCount(validators.length)} validators signed the reward
              root <Hash value={attest.rewardRoot} />; it takes {formatCount(quorum)}.
            </p>
            <ul class="list">
              {validators.map((id) => (
                <li key={id}>
                  {signers.includes(id) ? (
                    <span class="good">signed</span>
                  ) : (
                    <span class="dim">did not sign</span>
                  )}{" "}
                  <a href={`/validators/${encodeURIComponent(id)}`}>
                    <code>{id}</code>
                  </a>
                </li>
              ))}
            </ul>
          </>
        )}
      </Shown>
    </section>
  );
}
