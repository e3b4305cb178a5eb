'use strict';
(() => {
  const form = document.getElementById('filters');
  const rows = [...document.querySelectorAll('#matrix tbody tr')];
  const told = document.getElementById('shown');
  const apply = () => {
    const given = new FormData(form);
    const words = String(given.get('text')).toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const fits = (!given.get('differing') || row.dataset.differs) && words.every((word) => text.includes(word));
      row.hidden = !fits;
      count += fits ? 1 : 0;
    }
    told.textContent = `${count} of ${rows.length} requirements shown`;
  };
  form.hidden = false;
  form.addEventListener('input', apply);
  form.addEventListener('reset', () => setTimeout(apply));
  form.addEventListener('submit', (event) => event.preventDefault());
  apply();
})();
