/** The proof of what an account earned: to keep, and checked here against the genesis that the reader has pinned. */
import { useEffect, useState } from "preact/hooks";
import { apiUrl, askApi } from "../../data/api.ts";
import type { CheckedReward, ReadGenesis } from "../../light/checkReward.ts";
import { setPin, usePin } from "../../light/pin.ts";
import { formatCount } from "../../ui/format.ts";
import { Amount, Fact, Time } from "../../ui/values.tsx";

type State =
  | { readonly at: "idle" }
  | { readonly at: "working"; readonly what: string }
  | { readonly at: "unpinned"; readonly genesis: ReadGenesis }
  | { readonly at: "mismatch"; readonly shown: string; readonly pinned: string }
  | { readonly at: "checked"; readonly result: CheckedReward }
  | { readonly at: "failed"; readonly detail: string };

const IDLE: State = { at: "idle" };

type ProofCardProps = {
  /** The account's did:key. */
  readonly id: string;
  /** What the API says that it earned, to be compared. */
  readonly earned: string;
  /** Asks for the account anew, so that it is compared with what was earned when the proof was given out. */
  readonly onCheck: () => void;
};

export function ProofCard({ id, earned, onCheck }: ProofCardProps) {
  const pin = usePin();
  const [state, setState] = useState<State>(IDLE);
  useEffect(() => setState(IDLE), [id]);
  const path = `/v1/accounts/${encodeURIComponent(id)}/proof`;

  async function check(pinned: string | null): Promise<void> {
    try {
      setState({ at: "working", what: "Reading the genesis file" });
      const [light, genesisJson] = await Promise.all([
        import("../../light/checkReward.ts"),
        askApi<object>("/v1/genesis"),
      ]);
      const genesis = light.readGenesis(JSON.stringify(genesisJson));
      if (genesis === null) throw new Error("What the API gave is no genesis file.");
      if (pinned === null) return setState({ at: "unpinned", genesis });
      if (genesis.id !== pinned) return setState({ at: "mismatch", shown: genesis.id, pinned });
      setState({ at: "working", what: "Checking signatures" });
      onCheck();
      const proof = await askApi<object>(path);
      // The page shows what is going on before the arithmetic takes the thread.
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      setState({ at: "checked", result: light.checkReward(proof, genesis.genesis, id) });
    } catch (error) {
      setState({ at: "failed", detail: (error as { detail?: string }).detail ?? String(error) });
    }
  }

  return (
    <section class="card" aria-labelledby="proof">
      <div class="beside">
        <h2 id="proof">Proof</h2>
        <a href={apiUrl(path)} download={`proof-${id.slice(-8)}.json`}>
          Download
        </a>
        <button type="button" disabled={state.at === "working"} onClick={() => void check(pin)}>
          Check it here
        </button>
      </div>
      <p class="dim">
        The path from the account's total to the root that the validators signed. This browser checks it by
        itself: it believes the genesis that you pinned, and nobody else.
      </p>
      <div role="status">
        <ProofState
          state={state}
          earned={earned}
          onPin={(networkId) => {
            setPin(networkId);
            void check(networkId);
          }}
          onForget={() => {
            setPin(null);
            void check(null);
          }}
        />
      </div>
      {pin === null ? null : (
        <p class="dim">
          Pinned genesis: <code>{pin}</code>
        </p>
      )}
    </section>
  );
}

type ProofStateProps = {
  readonly state: State;
  readonly earned: string;
  readonly onPin: (networkId: string) => void;
  readonly onForget: () => void;
};

function ProofState({ state, earned, onPin, onForget }: ProofStateProps) {
  switch (state.at) {
    case "idle":
      return null;
    case "working":
      return <p>{state.what}…</p>;
    case "failed":
      return <p class="bad">It could not be checked. {state.detail}</p>;
    case "unpinned":
      return <AskForPin genesis={state.genesis} onPin={onPin} />;
    case "mismatch":
      return <Mismatch shown={state.shown} pinned={state.pinned} onForget={onForget} />;
    case "checked":
      return <Verdict result={state.result} earned={earned} />;
  }
}

function AskForPin({
  genesis,
  onPin,
}: {
  readonly genesis: ReadGenesis;
  readonly onPin: (id: string) => void;
}) {
  const { name, timeMs, validators } = genesis.genesis;
  return (
    <div class="state">
      <p>
        No genesis is pinned in this browser yet. This validator shows that of <strong>{name}</strong>, which
        began on <Time timeMs={timeMs} /> with {formatCount(validators.length)} validators. Its hash is
      </p>
      <p>
        <code>{genesis.id}</code>
      </p>
      <p>
        Compare it with what somebody whom you trust says, in the network's documents or on another validator.
        Whoever chooses the genesis decides what every proof proves.
      </p>
      <button type="button" onClick={() => onPin(genesis.id)}>
        Pin this genesis
      </button>
    </div>
  );
}

type MismatchProps = { readonly shown: string; readonly pinned: string; readonly onForget: () => void };

function Mismatch({ shown, pinned, onForget }: MismatchProps) {
  return (
    <div class="state failure" role="alert">
      <p>
        <strong>This is not the network that you pinned.</strong> Nothing was checked, and nothing that this
        validator shows is of your network.
      </p>
      <dl class="facts">
        <Fact label="You pinned">
          <code>{pinned}</code>
        </Fact>
        <Fact label="This validator shows">
          <code>{shown}</code>
        </Fact>
      </dl>
      <button type="button" onClick={onForget}>
        Forget the pinned genesis
      </button>
    </div>
  );
}

function Verdict({ result, earned }: { readonly result: CheckedReward; readonly earned: string }) {
  if (!result.valid) {
    return (
      <div class="state failure" role="alert">
        <p>
          <strong>Refused: this proves nothing.</strong> {result.sentence}
        </p>
      </div>
    );
  }
  const { total, epoch, signers, validators, setChanges, anchorAgeEpochs, isAnchorFresh } = result;
  return (
    <div class="state proven">
      <p>
        <strong class="good">Proven:</strong> this account had earned <Amount value={total} /> up to the end
        of epoch {formatCount(epoch)}. {formatCount(signers)} of {formatCount(validators)} validators signed
        it, over {formatCount(setChanges)} changes of their set since genesis.
      </p>
      {isAnchorFresh ? null : (
        <p class="warn">
          Genesis is {formatCount(anchorAgeEpochs)} epochs older than the proof: longer than a stake stays
          bound, so its validators may have left, and their keys could sign anything.{" "}
          <code>hexbeacon verify</code> checks the downloaded proof against a newer <code>--checkpoint</code>{" "}
          from a source that you trust.
        </p>
      )}
      {total === earned ? null : (
        <p class="warn">The API says another total now: an epoch may have closed since, so check again.</p>
      )}
    </div>
  );
}
