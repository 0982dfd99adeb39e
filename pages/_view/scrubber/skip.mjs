// The page's link to the slider stands outside this shadow tree, into which no address can lead.

export function followSkip(range) {
  const follow = (event) => {
    if (!event.target.closest?.("a[href='#slider']")) return;
    event.preventDefault();
    range.focus();
  };
  document.addEventListener("click", follow);
  return () => document.removeEventListener("click", follow);
}
