/// Reads Parquet files, by DuckDB.
@SuppressWarnings("requires-automatic") // DuckDB is no module of its own
module dev.gatun.parquet {
  requires static transitive org.jspecify;
  requires dev.gatun.models;
  requires duckdb.jdbc;
  requires java.sql;
  requires tools.jackson.databind;

  provides dev.gatun.models.data.RowFormat with
      dev.gatun.parquet.ParquetFormat;
}
