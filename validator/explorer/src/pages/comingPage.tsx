/** Stands where a page is not there yet. */
import { Page } from "../ui/page.tsx";
import { Empty } from "../ui/states.tsx";

export function ComingPage() {
  return (
    <Page title="Not shown yet">
      <Empty>The API has it; this explorer does not show it yet.</Empty>
    </Page>
  );
}
