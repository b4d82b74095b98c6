/** A hotspot's trust: how much, by which findings on whose evidence, and until when. */
import type { Hotspot, TrustHistory, TrustState } from "../../../../client/api.ts";
import { useRoute } from "../../data/useRoute.ts";
import { formatCount, formatExactPpm } from "../../ui/format.ts";
import { Shown } from "../../ui/states.tsx";
import { Amount, KeyLink } from "../../ui/values.tsx";
import { isNewcomer, judgeStanding, type Standing } from "./standing.ts";

type TrustCardProps = { readonly hotspot: Pick<Hotspot, "id" | "registeredEpoch"> };

export function TrustCard({ hotspot: { id, registeredEpoch } }: TrustCardProps) {
  const asked = useRoute("/v1/hotspots/{id}/trust", { path: { id }, query: { limit: 10 } });
  const table = useRoute("/v1/trust/penalties");
  const asks = new Map(table.data?.items.map(({ penalty, asks: text }) => [penalty as string, text]));
  return (
    <section class="card" aria-labelledby="trust">
      <h2 id="trust">Trust and penalties</h2>
      <Shown what="The trust" asked={asked}>
        {({ current, items, paidMinPpm, escrow, appeal }) =>
          current === null ? (
            <>
              <Shown what="The penalties" asked={table}>
                {({ intervalEpochs }) =>
                  appeal !== null && isNewcomer(registeredEpoch, appeal.decidedFromEpoch, intervalEpochs) ? (
                    <NotComputed nextEpoch={appeal.decidedFromEpoch} />
                  ) : (
                    <p>
                      <span class="good">Wholly trusted</span>, and always was.
                    </p>
                  )
                }
              </Shown>
              <Escrow escrow={escrow} appeal={appeal} />
            </>
          ) : (
            <>
              <StandingLine state={current} paidMinPpm={paidMinPpm} />
              <Escrow escrow={escrow} appeal={appeal} />
              {current.findings.map((finding) => (
                <Finding
                  key={`${finding.penalty} ${finding.madeEpoch}`}
                  finding={finding}
                  isMilder={current.findings.some(
                    ({ penalty, factorPpm }) => penalty === finding.penalty && factorPpm < finding.factorPpm,
                  )}
                  asks={asks.get(finding.penalty)}
                />
              ))}
              {items.length < 2 ? null : (
                <details>
                  <summary>How it was before</summary>
                  <ul class="list">
                    {items.map(({ fromEpoch, trustPpm, findings, appealed }) => (
                      <li key={fromEpoch}>
                        From epoch {formatCount(fromEpoch)}: {formatExactPpm(trustPpm)}
                        {findings.length === 0
                          ? ""
                          : `, by ${[...new Set(findings.map(({ penalty }) => penalty))].join(", ")}`}
                        {appealed ? ", after an appeal" : ""}
                      </li>
                    ))}
                  </ul>
                </details>
              )}
            </>
          )
        }
      </Shown>
    </section>
  );
}

function NotComputed({ nextEpoch }: { readonly nextEpoch: number }) {
  return (
    <p>
      <span class="warn">Not computed yet</span>: it came after the newest computation of trust, and counts
      wholly only as long as no seeds decide. The next is in force from epoch {formatCount(nextEpoch)} on.
    </p>
  );
}

const STANDING_CLASS: Readonly<Record<Standing, string>> = {
  paid: "good",
  suspended: "bad",
  unreached: "warn",
};

function StandingLine({ state, paidMinPpm }: { readonly state: TrustState; readonly paidMinPpm: number }) {
  const { trustPpm, graphPpm, fromEpoch } = state;
  const standing = judgeStanding(state, paidMinPpm);
  const least = formatExactPpm(paidMinPpm);
  const pay: Readonly<Record<Standing, string>> = {
    paid: `From ${least} on its rewards are paid.`,
    suspended: `Below ${least} its rewards wait in escrow, until an appeal succeeds or the time for one is over.`,
    unreached: `Below ${least} by its links nothing is paid: they do not reach whom the network trusts.`,
  };
  return (
    <p>
      <strong class={STANDING_CLASS[standing]}>{formatExactPpm(trustPpm)}</strong> since epoch{" "}
      {formatCount(fromEpoch)}: {formatExactPpm(graphPpm)} by who hears it and whom it hears, times its
      findings. {pay[standing]}
    </p>
  );
}

/** What is held of its pay and until when, and how its owner's appeal stands. */
function Escrow({ escrow, appeal }: Pick<TrustHistory, "escrow" | "appeal">) {
  return (
    <>
      {escrow.length === 0 ? null : (
        <ul class="list" aria-label="Held in escrow">
          {escrow.map(({ owner, amount, untilEpoch }) => (
            <li key={`${owner} ${untilEpoch}`}>
              <Amount value={amount} /> held in escrow, which an appeal can release up to epoch{" "}
              {formatCount(untilEpoch)}
            </li>
          ))}
        </ul>
      )}
      {appeal?.pending !== true ? null : (
        <p>Its owner has appealed: decided at the end of epoch {formatCount(appeal.decidedFromEpoch - 1)}.</p>
      )}
      {appeal?.barredUntilEpoch == null ? null : (
        <p>
          No appeal is heard up to epoch {formatCount(appeal.barredUntilEpoch)}: it moved since it was found.
        </p>
      )}
    </>
  );
}

type FindingProps = {
  readonly finding: TrustState["findings"][number];
  /** A harsher finding of its reason stands beside it: of one reason the lowest factor counts, once. */
  readonly isMilder: boolean;
  readonly asks: string | undefined;
};

function Finding({ finding, isMilder, asks }: FindingProps) {
  const { penalty, factorPpm, madeEpoch, endsEpoch, evidence } = finding;
  return (
    <section class="sum" aria-label={penalty}>
      <h3>
        <code>{penalty}</code> <span class="bad">× {formatExactPpm(factorPpm)}</span>
        {isMilder ? " once the harsher one has ended" : ""}
      </h3>
      {asks === undefined ? null : <p>Asked: {asks}</p>}
      <p class="dim">
        Found in epoch {formatCount(madeEpoch)}; it ends with epoch {formatCount(endsEpoch)} unless it is
        found again.
      </p>
      {evidence.length === 0 ? null : (
        <ul class="list">
          {evidence.map(({ counterpart, name, reports }) => (
            <li key={counterpart}>
              with <KeyLink kind="hotspots" id={counterpart} name={name} />{" "}
              <span class="dim">{reports.length === 0 ? "" : `${formatCount(reports.length)} reports`}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
