/** The newest rounds that it was a validator's turn to lead, and whether its view was decided. */
import type { Json } from "../../../../client/client.ts";
import { useRoute } from "../../data/useRoute.ts";
import { formatCount } from "../../ui/format.ts";
import { Empty, Shown } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Time } from "../../ui/values.tsx";

type Led = Json<"/v1/validators/{id}/rounds">["items"][number];

const COLUMNS: readonly Column<Led>[] = [
  { title: "Round", kind: "head", value: ({ round }) => formatCount(round) },
  { title: "Time", value: ({ timeMs }) => <Time timeMs={timeMs} /> },
  { title: "View", kind: "number", value: ({ view }) => formatCount(view) },
  {
    title: "What became of it",
    value: ({ decided }) =>
      decided ? <span class="good">decided</span> : <span class="warn">passed over</span>,
  },
];

export function LedCard({ id }: { readonly id: string }) {
  const asked = useRoute("/v1/validators/{id}/rounds", { path: { id } });
  return (
    <section class="card" aria-labelledby="led">
      <h2 id="led">Rounds that it led</h2>
      <Shown what="The rounds" asked={asked}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>It was not its turn in any of the newest rounds.</Empty>
          ) : (
            <>
              <p class="dim">
                {formatCount(items.filter(({ decided }) => decided).length)} of {formatCount(items.length)},
                among the newest rounds. Others led on where it was passed over.
              </p>
              <Table isTall columns={COLUMNS} rows={items} keyOf={({ round }) => round} />
            </>
          )
        }
      </Shown>
    </section>
  );
}
