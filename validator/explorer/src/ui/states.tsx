/** The states that anything asked for can be in: on its way, empty, failed. */
import type { ComponentChildren, VNode } from "preact";
import type { ApiFailure } from "../data/ask.ts";
import type { Asked } from "../data/useApi.ts";

export function Loading({ what }: { readonly what: string }) {
  return (
    <p class="state loading" role="status">
      Loading {what}…
    </p>
  );
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="state empty">{children}</p>;
}

type FailureProps = { readonly what: string; readonly failure: ApiFailure; readonly onRetry: () => void };

export function Failure({ what, failure, onRetry }: FailureProps) {
  return (
    <div class="state failure" role="alert">
      <p>
        <strong>{what} could not be loaded.</strong> {failure.detail}
      </p>
      <p class="dim">
        Asked: <code>{failure.url}</code>
        {failure.status === null ? null : ` (status ${failure.status})`}
      </p>
      <button type="button" onClick={onRetry}>
        Try again
      </button>
    </div>
  );
}

type ShownProps<Answer> = {
  /** Begins a sentence: "The hotspot". */
  readonly what: string;
  readonly asked: Asked<Answer>;
  /** What stands there when the API says that there is no such thing. */
  readonly missing?: ComponentChildren;
  readonly children: (data: Answer) => VNode | null;
};

/** Shows an answer, or the state that it is in. A failed reload leaves what there was, with the failure above. */
export function Shown<Answer>({ what, asked, missing, children }: ShownProps<Answer>) {
  const { data, failure, isLoading, retry } = asked;
  if (failure?.status === 404 && missing !== undefined) return <Empty>{missing}</Empty>;
  return (
    <>
      {failure === null ? null : <Failure what={what} failure={failure} onRetry={retry} />}
      {data === null && isLoading ? <Loading what={what.replace(/^The /, "the ")} /> : null}
      {data === null ? null : children(data)}
    </>
  );
}
