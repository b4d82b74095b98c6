/** On a static site: whose answers these are, whether they are of the network that the reader pinned, and how another API is asked. */
import { API } from "../data/api.ts";
import { useRoute } from "../data/useRoute.ts";
import { usePin } from "../light/pin.ts";
import { Page } from "./page.tsx";

export function ApiBar() {
  return (
    <section class="api-bar" aria-label="The API that is asked">
      {API.base === "" ? null : (
        <p>
          Answers come from <strong>{API.base}</strong>.
        </p>
      )}
      {API.refused === null ? null : (
        <p class="bad" role="alert">
          “{API.refused.text}” {API.refused.why}, so it is not asked.
        </p>
      )}
      {API.base === "" ? null : <PinCheck />}
      {API.isOpen && API.base !== "" ? (
        <details>
          <summary>Ask another</summary>
          <ApiForm />
        </details>
      ) : null}
    </section>
  );
}

/** That an API says another network's id is certain; that it says the pinned one's proves nothing, so nothing is said then. */
function PinCheck() {
  const pin = usePin();
  const { data } = useRoute("/v1/status", pin === null ? null : {});
  if (pin === null || data === null || data.network.id === pin) return null;
  return (
    <p class="bad" role="alert">
      <strong>This is not the network that you pinned.</strong> It is {data.network.name},{" "}
      <code>{data.network.id}</code>; you pinned <code>{pin}</code>.
    </p>
  );
}

/** A form as browsers send it by themselves: the page that comes reads the address from its own. */
function ApiForm() {
  return (
    <form class="api-form" action="/" method="get">
      <label>
        Address of a validator's API{" "}
        <input type="url" name="api" required placeholder="https://validator.example.net" />
      </label>
      <button type="submit">Ask it</button>
    </form>
  );
}

/** What stands in place of every page until there is somebody to ask. */
export function ChooseApi() {
  return (
    <Page
      title="Whom to ask"
      lead="This explorer shows what a validator's API says. Name one that you trust."
    >
      <section class="card" aria-label="The API to ask">
        <ApiForm />
        <p class="dim">
          The validator must let this site ask: its operator starts it with <code>--cors-origin</code> and{" "}
          <code>{window.location.origin}</code>. What an API says is not proven by itself; on an account's
          page your browser checks its proof against the genesis that you pin.
        </p>
      </section>
    </Page>
  );
}
