/** The button at the end of a list. It stays where it is, and the focus on it, while more is on its way and when that was all. */

type MoreButtonProps = {
  /** Null while more is on its way, and where there is none. */
  readonly onMore: (() => void) | null;
  readonly isAll: boolean;
};

export function MoreButton({ onMore, isAll }: MoreButtonProps) {
  return (
    <p>
      <button type="button" aria-disabled={onMore === null} onClick={() => onMore?.()}>
        {isAll ? "That is all" : "Show more"}
      </button>
    </p>
  );
}
