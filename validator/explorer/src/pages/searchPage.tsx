/** What a text may mean: hotspots, accounts, validators, a cell. The only thing that it can mean is shown at once. */
import { useEffect } from "preact/hooks";
import type { Json } from "../../../client/client.ts";
import { useRoute } from "../data/useRoute.ts";
import { navigate, useLocation } from "../routing/location.ts";
import { shortenKey } from "../ui/format.ts";
import { Page } from "../ui/page.tsx";
import { Empty, Shown } from "../ui/states.tsx";

type Result = Json<"/v1/search">["items"][number];

/** What `/v1/search` gives at most; it does not tell whether there was more. */
const RESULTS_MAX = 20;

const PLACES: Readonly<Record<Result["kind"], (id: string) => string>> = {
  hotspot: (id) => `/hotspots/${encodeURIComponent(id)}`,
  account: (id) => `/accounts/${encodeURIComponent(id)}`,
  validator: (id) => `/validators/${encodeURIComponent(id)}`,
  cell: (id) => `/cells/${encodeURIComponent(id)}`,
};

export function SearchPage() {
  const { query } = useLocation();
  const text = (query.get("q") ?? "").trim();
  const asked = useRoute("/v1/search", text === "" ? null : { query: { q: text } });
  const only = asked.data?.items.length === 1 ? asked.data.items[0]! : null;
  useEffect(() => {
    if (only !== null) navigate(PLACES[only.kind](only.id), { replace: true });
  }, [only]);
  return (
    <Page title={text === "" ? "Search" : `Search: ${text}`}>
      {text === "" ? <Empty>Ask for a part of a name, a whole did:key, or the index of a cell.</Empty> : null}
      <Shown what="The search" asked={asked}>
        {({ items }) => (items.length === 0 ? <NothingFound text={text} /> : <Results items={items} />)}
      </Shown>
    </Page>
  );
}

function NothingFound({ text }: { readonly text: string }) {
  return (
    <Empty>
      Nothing is called “{text}”. Names have three words, such as prime-walnut-kangaroo; a part of one is
      enough. Keys must be whole.
    </Empty>
  );
}

function Results({ items }: { readonly items: readonly Result[] }) {
  return (
    <div class="card">
      <ul class="list">
        {items.map(({ kind, id, name }) => (
          <li key={`${kind} ${id}`}>
            <a href={PLACES[kind](id)} title={id}>
              {name ?? id}
            </a>{" "}
            <span class="dim">
              {kind} {name === null ? "" : shortenKey(id)}
            </span>
          </li>
        ))}
      </ul>
      {items.length < RESULTS_MAX ? null : (
        <p class="dim">These are the first {RESULTS_MAX}. Ask for more of the name to find others.</p>
      )}
    </div>
  );
}
