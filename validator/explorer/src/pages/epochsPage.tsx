/** Closed epochs, newest first. */
import { usePages } from "../data/useRoute.ts";
import { formatCount } from "../ui/format.ts";
import { Page } from "../ui/page.tsx";
import { Paged } from "../ui/paged.tsx";
import { Amount, Time } from "../ui/values.tsx";

export function EpochsPage() {
  const pages = usePages("/v1/epochs", { query: { limit: 30 } });
  return (
    <Page title="Epochs" lead="At the end of an epoch its evidence is scored and its rewards are paid.">
      <section class="card" aria-label="Closed epochs">
        <Paged what="The epochs" pages={pages} empty="No epoch has closed yet.">
          {(read) => (
            <div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Epoch</th>
                    <th scope="col">Ended</th>
                    <th scope="col" class="number">
                      Beacons
                    </th>
                    <th scope="col" class="number">
                      Witness reports accepted
                    </th>
                    <th scope="col" class="number">
                      Paid for beacons
                    </th>
                    <th scope="col" class="number">
                      Paid for witnesses
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {read
                    .flatMap(({ items }) => items)
                    .map(({ epoch, endTimeMs, beacons, witnesses, pools }) => (
                      <tr key={epoch}>
                        <th scope="row">
                          <a href={`/epochs/${epoch}`}>{formatCount(epoch)}</a>
                        </th>
                        <td>
                          <Time timeMs={endTimeMs} />
                        </td>
                        <td class="number">{formatCount(beacons.closed)}</td>
                        <td class="number">{formatCount(witnesses.accepted)}</td>
                        <td class="number">
                          <Amount value={pools.beacons.paid} />
                        </td>
                        <td class="number">
                          <Amount value={pools.witnesses.paid} />
                        </td>
                      </tr>
                    ))}
                </tbody>
              </table>
            </div>
          )}
        </Paged>
      </section>
    </Page>
  );
}
