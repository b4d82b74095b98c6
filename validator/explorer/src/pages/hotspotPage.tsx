/** A hotspot: who it is, what it earned and why, what it reported and what became of that, whom it hears. */
import type { Hotspot } from "../../../client/api.ts";
import { useRoute } from "../data/useRoute.ts";
import type { PageProps } from "../pages.tsx";
import { formatCount } from "../ui/format.ts";
import { Page } from "../ui/page.tsx";
import { Shown } from "../ui/states.tsx";
import { Amount, CellLink, Fact, Hash, KeyLink } from "../ui/values.tsx";
import { ActivityCard } from "./hotspot/activityCard.tsx";
import { HotspotStatus } from "./hotspot/hotspotTable.tsx";
import { NeighboursCard } from "./hotspot/neighboursCard.tsx";
import { TrustCard } from "./hotspot/trustCard.tsx";
import { WhyCard } from "./hotspot/whyCard.tsx";
import { type Column, RewardsCard } from "./rewards/rewardsCard.tsx";

const COLUMNS: readonly Column<"/v1/hotspots/{id}/rewards">[] = [
  { title: "Beacons", kind: "number", value: ({ beaconPaid }) => <Amount value={beaconPaid} /> },
  { title: "Witnesses", kind: "number", value: ({ witnessPaid }) => <Amount value={witnessPaid} /> },
  { title: "Withheld", kind: "number", value: ({ withheld }) => <Amount value={withheld} /> },
  { title: "From escrow", kind: "number", value: ({ released }) => <Amount value={released} /> },
  { title: "Earned", kind: "number", value: ({ earned }) => <Amount value={earned} /> },
];

export function HotspotPage({ params }: PageProps) {
  const id = params.id!;
  const asked = useRoute("/v1/hotspots/{id}", { path: { id } });
  const status = useRoute("/v1/status");
  return (
    <Page title={asked.data?.name ?? "Hotspot"} lead={<code>{asked.data?.id ?? id}</code>}>
      <Shown what="The hotspot" asked={asked} missing="The network knows no such hotspot.">
        {(hotspot) => (
          <>
            <Facts hotspot={hotspot} />
            <Shown what="The network's status" asked={status}>
              {({ closedEpoch: latest, oldestEpoch: oldest }) => (
                <>
                  <RewardsCard
                    route="/v1/hotspots/{id}/rewards"
                    id={hotspot.id}
                    latest={latest}
                    oldest={oldest}
                    columns={COLUMNS}
                  />
                  {latest === null ? null : <WhyCard id={hotspot.id} latest={latest} />}
                </>
              )}
            </Shown>
            <ActivityCard id={hotspot.id} />
            <TrustCard hotspot={hotspot} />
            <NeighboursCard hotspot={hotspot} />
          </>
        )}
      </Shown>
    </Page>
  );
}

function Facts({ hotspot }: { readonly hotspot: Hotspot }) {
  const { status, owner, assertion, device, registeredEpoch, bond, lastActiveEpoch } = hotspot;
  return (
    <section class="card" aria-label="What it is">
      <dl class="facts">
        <Fact label="Status">
          <HotspotStatus status={status} />
        </Fact>
        <Fact label="Owner">
          <KeyLink kind="accounts" id={owner} />
        </Fact>
        <Fact label="Place">{assertion === null ? "none asserted" : <CellLink cell={assertion.cell} />}</Fact>
        {assertion === null ? null : (
          <Fact label="Antenna">
            {assertion.gainDbi} dBi, {formatCount(assertion.elevationM)} m up, {assertion.region}
          </Fact>
        )}
        {device === null ? null : (
          <Fact label="Secure element">
            <Hash value={device.key} /> signs its beacons from epoch {formatCount(device.fromEpoch)} on
          </Fact>
        )}
        <Fact label="Registered">
          {registeredEpoch < 0 ? "in the genesis" : `in epoch ${formatCount(registeredEpoch)}`}
        </Fact>
        <Fact label="Last active">
          {lastActiveEpoch === null ? "never yet" : `in epoch ${formatCount(lastActiveEpoch)}`}
        </Fact>
        <Fact label="Bond">
          <Amount value={bond} />
        </Fact>
      </dl>
    </section>
  );
}
