// Heads of tables sort: numbers by their value, what is no number after them and by its text.
"use strict";
function compare(a, b) {
  if (a.number !== null) {
    return b.number === null ? -1 : a.number - b.number;
  }
  return b.number === null ? a.text.localeCompare(b.text) : 1;
}
function sort(table, column, down) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, function (row, index) {
    const cell = row.cells[column];
    const key = cell.dataset.key;
    return { row, index, number: key === undefined ? null : Number(key), text: cell.textContent };
  });
  rows.sort(function (a, b) { return (down ? compare(b, a) : compare(a, b)) || a.index - b.index; });
  body.append(...rows.map(function (entry) { return entry.row; }));
}
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach(function (head, column) {
    head.querySelector("button").addEventListener("click", function () {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) {
        other.removeAttribute("aria-sort");
      }
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      sort(table, column, down);
    });
  });
}
