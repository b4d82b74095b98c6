/** Why a reward was what it was: every factor, multiplied out to the base unit, as the API takes it apart. */
import { useEffect, useState } from "preact/hooks";
import type { Explanation, Gets } from "../../../../client/api.ts";
import { useRoute } from "../../data/useRoute.ts";
import { formatCount, formatExactPpm, formatUnits } from "../../ui/format.ts";
import { Shown } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Amount, KeyLink } from "../../ui/values.tsx";
import { CROWD_HALF, formatBetween, formatDivisor } from "./factors.ts";

type Pool = Explanation["beacons"];
type Report = Explanation["reports"][number];

const COLUMNS: readonly Column<Report>[] = [
  { title: "Report", value: (report) => <code title={report.id}>{report.id.slice(0, 12)}…</code> },
  { title: "As", value: ({ kind }) => kind },
  { title: "Links, each the lesser trust × quality", value: (report) => <Links report={report} /> },
  {
    title: "÷",
    kind: "number",
    value: ({ factors }) => (factors === null ? "" : formatDivisor(factors.divisor)),
  },
  { title: "= Units", kind: "number", value: ({ unitsPpm }) => formatUnits(unitsPpm) },
];

export function WhyCard({ id, latest }: { readonly id: string; readonly latest: number }) {
  const [epoch, setEpoch] = useState(latest);
  useEffect(() => setEpoch(latest), [id]);
  const asked = useRoute("/v1/hotspots/{id}/rewards/{epoch}/explain", { path: { id, epoch: `${epoch}` } });
  return (
    <section class="card" aria-labelledby="why">
      <div class="beside">
        <h2 id="why">Why this reward</h2>
        <label>
          in epoch{" "}
          <input
            type="number"
            min={0}
            max={latest}
            value={epoch}
            onChange={({ currentTarget: { valueAsNumber } }) => {
              if (Number.isSafeInteger(valueAsNumber) && valueAsNumber >= 0) setEpoch(valueAsNumber);
            }}
          />
        </label>
      </div>
      <Shown
        what="The explanation"
        asked={asked}
        missing={`It earned nothing in epoch ${epoch}: no beacon or report of it was worth anything then.`}
      >
        {(data) => <Why explanation={data} />}
      </Shown>
    </section>
  );
}

function Why({
  explanation,
}: {
  readonly explanation: Gets["/v1/hotspots/{id}/rewards/{epoch}/explain"]["json"];
}) {
  const { epoch, beacons, witnesses, paid, withheld, suspended, trustPpm, penalties } = explanation;
  const { reports, complete, crowd } = explanation;
  return (
    <>
      <p>
        <strong>
          <Amount value={paid} />
        </strong>{" "}
        was paid for <a href={`/epochs/${epoch}`}>epoch {formatCount(epoch)}</a>
        {suspended ? (
          <>
            , and <Amount value={withheld} /> was put into escrow, since it was suspended from pay
          </>
        ) : null}
        . Its trust was {formatExactPpm(trustPpm)}
        {penalties.length === 0 ? "" : `, by ${penalties.join(", ")}`}.
      </p>
      {crowd === null ? null : (
        <p>
          The density scale is {CROWD_HALF} ÷ ({CROWD_HALF} + {formatBetween(crowd)}), which is the trust of
          the others around it, half as much with each ring of cells.
        </p>
      )}
      <div class="cards">
        <PoolSum title="As beaconer" pool={beacons} />
        <PoolSum title="As witness" pool={witnesses} />
      </div>
      {reports.length === 0 ? null : (
        <details>
          <summary>
            Reports that counted: {formatCount(reports.length)}
            {complete ? ", which make the units" : "; others are no longer kept"}
          </summary>
          <Table columns={COLUMNS} rows={reports} keyOf={(report) => report.id} />
        </details>
      )}
    </>
  );
}

const formatWhole = (digits: string): string => formatCount(BigInt(digits));

/** The links that made a report's units, or why none are told. */
function Links({ report: { kind, factors, missing } }: { readonly report: Report }) {
  if (factors === null) return <span class="dim">{missing}</span>;
  const { links, candidates, unpaid, mayEarn } = factors;
  return (
    <>
      <ul class="list">
        {links.map(
          ({ counterpart, name, distanceM, trustPpm, counterpartTrustPpm, qualityPpm, valuePpm }) => (
            <li key={counterpart}>
              <KeyLink kind="hotspots" id={counterpart} name={name} />: the lesser of {formatUnits(trustPpm)}{" "}
              and {formatUnits(counterpartTrustPpm)} × {formatUnits(qualityPpm)} at {formatCount(distanceM)} m
              = {formatUnits(valuePpm)}
            </li>
          ),
        )}
      </ul>
      {kind === "witness" ? null : (
        <span class="dim">
          The best {formatCount(links.length)} that stand apart, of {formatCount(candidates)} accepted.
        </span>
      )}
      {unpaid === null ? null : (
        <span class="dim">
          Not paid: <code>{unpaid}</code>.
        </span>
      )}
      {mayEarn ? null : <span class="dim">Worth nothing, as too little was said of it by others.</span>}
    </>
  );
}

/** A pool's arithmetic, line by line, in base units. */
function PoolSum({ title, pool }: { readonly title: string; readonly pool: Pool }) {
  const { unitsPpm, scalePpm, share, shares, poolPaid, quotient, remainderUnit, amount, withheld } = pool;
  return (
    <section class="sum" aria-label={title}>
      <h3>{title}</h3>
      <dl class="steps">
        <dt>Units</dt>
        <dd>{formatUnits(unitsPpm)}</dd>
        <dt>× density scale</dt>
        <dd>{formatUnits(scalePpm)}</dd>
        <dt>= its share, in 10⁻¹²</dt>
        <dd>{formatWhole(share)}</dd>
        <dt>÷ all shares</dt>
        <dd>{formatWhole(shares)}</dd>
        <dt>× paid by the pool</dt>
        <dd>{formatWhole(poolPaid)}</dd>
        <dt>= rounded down</dt>
        <dd>{formatWhole(quotient)}</dd>
        <dt>+ for the largest fractions</dt>
        <dd>{remainderUnit}</dd>
        <dt class="total">= base units{withheld ? ", withheld" : ""}</dt>
        <dd class="total">{formatWhole(amount)}</dd>
      </dl>
    </section>
  );
}
