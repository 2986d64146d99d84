"""StarRocks SQL turned into DuckDB SQL, or refused in StarRocks' words. Pure: texts in, texts out."""
