'use strict';
(() => {
  const form = document.getElementById('filters');
  const rows = [...document.querySelectorAll('details.requirement')];
  const sections = [...document.querySelectorAll('section.area')];
  const told = document.getElementById('shown');
  const apply = () => {
    const given = new FormData(form);
    const verdicts = new Set(given.getAll('verdict'));
    const tier = given.get('tier');
    const words = String(given.get('text')).toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const fits = verdicts.has(row.dataset.verdict) && (!tier || row.dataset.tier === tier) && words.every((word) => text.includes(word));
      row.hidden = !fits;
      count += fits ? 1 : 0;
    }
    for (const section of sections) section.hidden = !section.querySelector('details.requirement:not([hidden])');
    told.textContent = `${count} of ${rows.length} requirements shown`;
  };
  form.hidden = false;
  form.addEventListener('input', apply);
  form.addEventListener('reset', () => setTimeout(apply));
  form.addEventListener('submit', (event) => event.preventDefault());
  const reveal = () => {
    const row = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (row instanceof HTMLDetailsElement) { row.hidden = false; row.open = true; row.closest('section').hidden = false; row.scrollIntoView(); }
  };
  addEventListener('hashchange', reveal);
  let closed = [];
  addEventListener('beforeprint', () => { closed = rows.filter((row) => !row.open && !row.hidden && row.dataset.broken); for (const row of closed) row.open = true; });
  addEventListener('afterprint', () => { for (const row of closed) row.open = false; });
  apply();
  reveal();
})();
