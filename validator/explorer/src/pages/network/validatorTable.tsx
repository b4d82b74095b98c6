/** Who has a seat in the running epoch, with what each has at stake and did in its last epochs. */
import type { Participation } from "../../../../client/api.ts";
import type { Json } from "../../../../client/client.ts";
import { useRoute } from "../../data/useRoute.ts";
import { formatCount, formatPpm, PPM } from "../../ui/format.ts";
import { Shown } from "../../ui/states.tsx";
import { Amount, KeyLink } from "../../ui/values.tsx";

type Seat = Json<"/v1/validators">["items"][number];

/** One question for each seat is asked of a set no larger than this; the API has the rest. */
const ASKED_SEATS_MAX = 32;

/** @param epoch the running one as far as known: another asks again. */
export function ValidatorTable({ epoch }: { readonly epoch: number | null }) {
  const asked = useRoute("/v1/validators", { query: epoch === null ? {} : { epoch: `${epoch}` } });
  return (
    <section class="card" aria-labelledby="validators">
      <h2 id="validators">Validators</h2>
      <Shown what="The validators" asked={asked} missing="No epoch's validators are known here yet.">
        {(set) => (
          <>
            <p class="dim">
              {formatCount(set.items.length)} seats in epoch {set.epoch}, the same since epoch {set.fromEpoch}
              ; {formatCount(set.quorum)} of them decide.
            </p>
            <div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Seat</th>
                    <th scope="col">Validator</th>
                    <th scope="col">Link</th>
                    <th scope="col" class="number">
                      Stake
                    </th>
                    <th scope="col" class="number">
                      Took part
                    </th>
                    <th scope="col" class="number">
                      Paid
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {set.items.map((seat) => (
                    <SeatRow key={seat.id} seat={seat} isAsked={set.items.length <= ASKED_SEATS_MAX} />
                  ))}
                </tbody>
              </table>
            </div>
            <p class="dim">Part taken and pay are those of each one's newest closed epoch.</p>
          </>
        )}
      </Shown>
    </section>
  );
}

function SeatRow({ seat, isAsked }: { readonly seat: Seat; readonly isAsked: boolean }) {
  const request = { path: { id: seat.id }, query: { limit: 1 } };
  const asked = useRoute("/v1/validators/{id}/participation", isAsked ? request : null);
  const newest = asked.data?.items[0] ?? null;
  return (
    <tr>
      <td>{seat.seat}</td>
      <td>
        <KeyLink kind="validators" id={seat.id} name={seat.name} />
      </td>
      <td>
        <LinkWord connected={seat.connected} />
      </td>
      <td class="number">
        <Amount value={seat.stake} />
      </td>
      <td class="number">{newest === null ? "–" : formatPart(newest)}</td>
      <td class="number">{newest === null ? "–" : <Amount value={newest.paid} />}</td>
    </tr>
  );
}

/** Whether the validator that is asked has a link to another; null for itself. */
export function LinkWord({ connected }: { readonly connected: boolean | null }) {
  if (connected === null) return "this one";
  return connected ? <span class="good">up</span> : <span class="bad">down</span>;
}

/** The part of an epoch's rounds that a validator helped to finalize. */
export const formatPart = ({ rounds, epochRounds }: Participation): string =>
  epochRounds === 0 ? "–" : formatPpm((rounds * PPM) / epochRounds);
