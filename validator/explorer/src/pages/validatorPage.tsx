/** A validator: what it has at stake and where it sits, what it did and was paid, which rounds it led, what was found against it. */
import type { Conviction, Validator } from "../../../client/api.ts";
import { apiUrl } from "../data/api.ts";
import { usePages, useRoute, writePath } from "../data/useRoute.ts";
import type { PageProps } from "../pages.tsx";
import { formatCount } from "../ui/format.ts";
import { Page } from "../ui/page.tsx";
import { Paged } from "../ui/paged.tsx";
import { Empty, Shown } from "../ui/states.tsx";
import { Amount, Fact, KeyLink } from "../ui/values.tsx";
import { LinkWord } from "./network/validatorTable.tsx";
import { LedCard } from "./validator/ledCard.tsx";
import { ParticipationCard } from "./validator/participationCard.tsx";

export function ValidatorPage({ params }: PageProps) {
  const id = params.id!;
  const asked = useRoute("/v1/validators/{id}", { path: { id } });
  return (
    <Page title={asked.data?.name ?? "Validator"} lead={<code>{asked.data?.id ?? id}</code>}>
      <Shown
        what="The validator"
        asked={asked}
        missing="The network knows no such validator. It is known once it has staked."
      >
        {(validator) => (
          <>
            <Facts validator={validator} />
            <Addresses addresses={validator.multiaddrs} />
            <ParticipationCard id={validator.id} />
            <LedCard id={validator.id} />
            <EvidenceCard id={validator.id} />
          </>
        )}
      </Shown>
    </Page>
  );
}

const STATUS_WORDS = {
  seated: "has a seat",
  waiting: "waits for a seat",
  leaving: "is leaving; its stake is still locked",
  gone: "has left",
  tombstoned: "was convicted, and never sits again",
} as const satisfies Readonly<Record<Validator["status"], string>>;
const STATUS_CLASS: Readonly<Partial<Record<Validator["status"], string>>> = {
  seated: "good",
  tombstoned: "bad",
};

function Facts({ validator }: { readonly validator: Validator }) {
  const { status, stake, owner, sinceEpoch, unbondingUntilEpoch, seats, connected } = validator;
  return (
    <section class="card" aria-label="What it is">
      <dl class="facts">
        <Fact label="Status">
          <span class={STATUS_CLASS[status] ?? "dim"}>{STATUS_WORDS[status]}</span>
        </Fact>
        <Fact label="Stake">
          <Amount value={stake} />
        </Fact>
        <Fact label="Staked by">
          <KeyLink kind="accounts" id={owner} />
        </Fact>
        <Fact label="On record since epoch">{formatCount(sinceEpoch)}</Fact>
        {unbondingUntilEpoch === null ? null : (
          <Fact label="Its stake returns after epoch">{formatCount(unbondingUntilEpoch)}</Fact>
        )}
        <Fact label="Link to it">
          <LinkWord connected={connected} />
        </Fact>
        {seats.map(({ epoch, seat }, place) => (
          <Fact key={epoch} label={`Seat in epoch ${formatCount(epoch)}${place === 0 ? ", now" : ""}`}>
            {seat === null ? <span class="dim">none</span> : formatCount(seat)}
          </Fact>
        ))}
      </dl>
    </section>
  );
}

function Addresses({ addresses }: { readonly addresses: readonly string[] }) {
  return (
    <section class="card" aria-labelledby="addresses">
      <h2 id="addresses">Where it listens</h2>
      {addresses.length === 0 ? (
        <Empty>It has told the network no address at which others could dial it.</Empty>
      ) : (
        <ul class="list">
          {addresses.map((address) => (
            <li key={address}>
              <code>{address}</code>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function EvidenceCard({ id }: { readonly id: string }) {
  const pages = usePages("/v1/evidence", { query: { offender: id, limit: 20 } });
  return (
    <section class="card" aria-labelledby="evidence">
      <div class="beside">
        <h2 id="evidence">Evidence against it</h2>
        <a href={apiUrl(writePath("/v1/evidence", { query: { offender: id } }))} download>
          JSON
        </a>
      </div>
      <Paged
        what="The evidence"
        pages={pages}
        empty="It has signed no two statements that contradict each other."
      >
        {(read) => (
          <ul class="list">
            {read
              .flatMap(({ items }) => items)
              .map((piece) => (
                <Piece key={`${piece.round} ${piece.kind}`} piece={piece} />
              ))}
          </ul>
        )}
      </Paged>
    </section>
  );
}

function Piece({ piece: { sentence, kind, round, epoch, slashed } }: { readonly piece: Conviction }) {
  return (
    <li>
      <span class="bad">{sentence}</span> <code class="dim">{kind}</code>
      <br />
      <span class="dim">
        Convicted in round {formatCount(round)} of epoch {formatCount(epoch)}; <Amount value={slashed} /> of
        its stake burned.
      </span>
    </li>
  );
}
