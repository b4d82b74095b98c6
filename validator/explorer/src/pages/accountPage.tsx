/** An account: what it has and ever earned, its hotspots, and the proof. */
import { usePages, useRoute } from "../data/useRoute.ts";
import type { PageProps } from "../pages.tsx";
import { formatCount } from "../ui/format.ts";
import { Page } from "../ui/page.tsx";
import { Shown } from "../ui/states.tsx";
import { Amount, Fact } from "../ui/values.tsx";
import { ProofCard } from "./account/proofCard.tsx";
import { HotspotTable } from "./hotspot/hotspotTable.tsx";
import { type Column, RewardsCard } from "./rewards/rewardsCard.tsx";

const COLUMNS: readonly Column<"/v1/accounts/{id}/rewards">[] = [
  { title: "Beacons", kind: "number", value: ({ beaconPaid }) => <Amount value={beaconPaid} /> },
  { title: "Witnesses", kind: "number", value: ({ witnessPaid }) => <Amount value={witnessPaid} /> },
  { title: "As validator", kind: "number", value: ({ validatorPaid }) => <Amount value={validatorPaid} /> },
  { title: "From escrow", kind: "number", value: ({ released }) => <Amount value={released} /> },
  { title: "Earned", kind: "number", value: ({ earned }) => <Amount value={earned} /> },
];

export function AccountPage({ params }: PageProps) {
  const id = params.id!;
  const asked = useRoute("/v1/accounts/{id}", { path: { id } });
  const status = useRoute("/v1/status");
  const name = asked.data?.name ?? "Account";
  return (
    <Page title={name} lead={<code>{asked.data?.id ?? id}</code>}>
      <Shown
        what="The account"
        asked={asked}
        missing="The network knows no such account. It is known once it has paid or earned something."
      >
        {(account) => (
          <>
            <section class="card" aria-label="Totals">
              <dl class="facts">
                <Fact label="Balance">
                  <Amount value={account.balance} />
                </Fact>
                <Fact label="Ever earned">
                  <Amount value={account.earned} />
                </Fact>
                <Fact label="Transactions made">{formatCount(account.nonce)}</Fact>
              </dl>
            </section>
            <ProofCard id={account.id} earned={account.earned} onCheck={asked.retry} />
            <Shown what="The network's status" asked={status}>
              {({ closedEpoch: latest, oldestEpoch: oldest }) => (
                <RewardsCard
                  route="/v1/accounts/{id}/rewards"
                  id={account.id}
                  latest={latest}
                  oldest={oldest}
                  columns={COLUMNS}
                />
              )}
            </Shown>
            <OwnHotspots owner={account.id} />
          </>
        )}
      </Shown>
    </Page>
  );
}

function OwnHotspots({ owner }: { readonly owner: string }) {
  const pages = usePages("/v1/hotspots", { query: { owner, limit: 50 } });
  return (
    <section class="card" aria-labelledby="hotspots">
      <h2 id="hotspots">Its hotspots</h2>
      <HotspotTable pages={pages} empty="This account owns no hotspot." />
    </section>
  );
}
