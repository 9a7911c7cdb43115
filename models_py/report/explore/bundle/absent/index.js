// In the place of geometry columns and of a DuckDB in the browser: the page asks a server, of tables that have neither.
function absent() {
  throw new Error("not part of this bundle");
}
export const wkbToGeoJSON = absent;
export const wktToGeoJSON = absent;
