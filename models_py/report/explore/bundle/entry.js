export * from "@uwdata/vgplot";
export { clausePoints, makeClient } from "@uwdata/mosaic-core";
export { Query, asc, desc, literal } from "@uwdata/mosaic-sql";
