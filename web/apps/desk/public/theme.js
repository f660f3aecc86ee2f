// Runs before the first paint: a person who chose dark never sees a white flash. The pages' own
// script sets the same attribute again as soon as it knows who is signed in.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem('switchbell.theme');
  } catch {
    // A browser without storage follows the system.
  }
  const dark =
    theme === 'dark' ||
    (theme !== 'light' && window.matchMedia('(prefers-color-scheme: dark)').matches);
  const scheme = dark ? 'dark' : 'light';
  document.documentElement.setAttribute('data-mantine-color-scheme', scheme);
  document.documentElement.dataset.theme = scheme;
})();
