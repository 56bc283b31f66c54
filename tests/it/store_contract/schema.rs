//! Both databases have the same tables, and know every statement.

use std::collections::{BTreeMap, BTreeSet};

use loa::store::sql;
use sqlx::{
    AssertSqlSafe, Column as _, Connection as _, Either, Executor as _, PgConnection, Row as _,
    SqlSafeStr as _, SqliteConnection, Statement as _,
};

use super::ground::{Ground, R1, at, planned, silent};

/// How many parameters a text has: the highest number after a dollar.
fn parameters(text: &str) -> usize {
    text.split('$')
        .skip(1)
        .filter_map(|rest| {
            rest.chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>()
                .parse()
                .ok()
        })
        .max()
        .unwrap_or(0)
}

pub(super) async fn every_statement_prepares(ground: Ground) {
    let mut names = BTreeSet::new();
    for statement in sql::ALL.into_iter().flatten() {
        assert!(
            names.insert(statement.name),
            "{} is there twice",
            statement.name
        );
        assert_eq!(
            parameters(statement.sqlite),
            parameters(statement.postgres),
            "{}",
            statement.name
        );
        let failed = |error: sqlx::Error| -> ! { panic!("{}: {error}", statement.name) };
        let prepared = if ground.is_postgres() {
            let mut connection = PgConnection::connect(&ground.url).await.unwrap();
            let prepared = connection.prepare(statement.postgres.into_sql_str()).await;
            prepared
                .unwrap_or_else(|error| failed(error))
                .parameters()
                .map(count)
        } else {
            let mut connection = SqliteConnection::connect(&ground.url).await.unwrap();
            let prepared = connection.prepare(statement.sqlite.into_sql_str()).await;
            prepared
                .unwrap_or_else(|error| failed(error))
                .parameters()
                .map(count)
        };
        assert_eq!(
            prepared,
            Some(parameters(statement.sqlite)),
            "{}",
            statement.name
        );
    }
    assert!(names.len() > 50);
}

fn count<T>(parameters: Either<&[T], usize>) -> usize {
    parameters.either(<[T]>::len, |count| count)
}

/// A table's columns with "may be NULL", and its unique keys.
#[derive(Debug, Default, PartialEq)]
struct Table {
    columns: BTreeMap<String, bool>,
    unique: BTreeSet<Vec<String>>,
    indexes: BTreeSet<String>,
}

#[tokio::test]
async fn both_databases_have_the_same_tables() {
    let Some(postgres) = Ground::postgres().await else {
        return;
    };
    let sqlite = Ground::sqlite().await;
    let (sqlite, postgres) = (
        sqlite_tables(&sqlite.url).await,
        postgres_tables(&postgres.url).await,
    );
    assert!(sqlite.len() >= 7, "{sqlite:?}");
    assert!(
        sqlite["attempt"].unique.contains(
            ["belated", "delivery", "number"]
                .map(str::to_owned)
                .as_slice()
        )
    );
    assert_eq!(sqlite, postgres);
}

async fn sqlite_tables(url: &str) -> BTreeMap<String, Table> {
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    let columns = "SELECT t.name, c.name, c.\"notnull\" = 0 FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\'";
    for row in connection.fetch_all(columns).await.unwrap() {
        tables
            .entry(row.get(0))
            .or_default()
            .columns
            .insert(row.get(1), row.get(2));
    }
    let keys = "SELECT t.name, i.name, i.\"unique\", group_concat(c.name) FROM sqlite_schema AS t,
            pragma_index_list(t.name) AS i, pragma_index_info(i.name) AS c
        WHERE t.type = 'table' GROUP BY t.name, i.name";
    for row in connection.fetch_all(keys).await.unwrap() {
        let (name, index, columns) = (
            row.get::<String, _>(0),
            row.get::<String, _>(1),
            row.get::<String, _>(3),
        );
        let Some(table) = tables.get_mut(&name) else {
            continue;
        };
        if row.get(2) {
            table.unique.insert(sorted(&columns));
        }
        if !index.starts_with("sqlite_autoindex") {
            table.indexes.insert(index);
        }
    }
    // A table whose key is its row number has no index for it.
    for table in ["journal", "approval", "pause"] {
        let table = tables.get_mut(table).unwrap();
        table.unique.insert(sorted("number"));
    }
    tables
}

async fn postgres_tables(url: &str) -> BTreeMap<String, Table> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    let columns = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), is_nullable = 'YES'
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'";
    for row in connection.fetch_all(columns).await.unwrap() {
        tables
            .entry(row.get(0))
            .or_default()
            .columns
            .insert(row.get(1), row.get(2));
    }
    let keys = "SELECT CAST(t.relname AS TEXT), CAST(i.relname AS TEXT), x.indisunique, i.relname LIKE '%\\_key' OR
            x.indisprimary, string_agg(CAST(a.attname AS TEXT), ',')
        FROM pg_index AS x JOIN pg_class AS t ON t.oid = x.indrelid JOIN pg_class AS i ON i.oid = x.indexrelid
            JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = ANY (CAST(x.indkey AS SMALLINT[]))
        GROUP BY 1, 2, 3, 4";
    for row in connection.fetch_all(keys).await.unwrap() {
        assert_eq!(row.columns()[0].name(), "relname");
        let (name, index, columns) = (
            row.get::<String, _>(0),
            row.get::<String, _>(1),
            row.get::<String, _>(4),
        );
        let Some(table) = tables.get_mut(&name) else {
            continue;
        };
        if row.get(2) {
            table.unique.insert(sorted(&columns));
        }
        if !row.get::<bool, _>(3) {
            table.indexes.insert(index);
        }
    }
    tables
}

fn sorted(columns: &str) -> Vec<String> {
    let mut columns: Vec<String> = columns.split(',').map(str::to_owned).collect();
    columns.sort();
    columns
}

/// Statements of the send path and of the loops must not walk through the log.
#[tokio::test]
async fn loops_use_the_small_indexes() {
    let ground = Ground::sqlite().await;
    let mut connection = SqliteConnection::connect(&ground.url).await.unwrap();
    let table = [
        (sql::deliver::CANDIDATES, "INDEX delivery_ready"),
        (sql::deliver::CANDIDATES, "INDEX delivery_sending"),
        (sql::deliver::PLAYING, "INDEX delivery_by_channel"),
        (sql::deliver::NEXT_READY, "INDEX delivery_ready"),
        (sql::deliver::RESCUE_HOLD, "INDEX delivery_sending"),
        (sql::deliver::EXPIRE, "INDEX delivery_unfinished"),
        (sql::deliver::JUDGE_MISSED, "INDEX delivery_unfinished"),
        (sql::plan::SUPERSEDE, "INDEX delivery_unfinished"),
        (sql::plan::UNPREPARED, "INDEX delivery_planned"),
        (sql::plan::NEXT_UNPREPARED, "INDEX delivery_planned"),
        (sql::read::CHANGED_SINCE, "INDEX delivery_by_change"),
        (sql::read::LOG_NEWEST, "INDEX delivery_by_due"),
        (sql::read::LOG_NEWEST_WARD, "INDEX delivery_by_ward"),
        (sql::read::LOG_OLDEST_CHANNEL, "INDEX delivery_by_channel"),
        (sql::read::ACCOUNT, "INDEX delivery_by_due"),
        (sql::silence::WAS_DUE, "INDEX delivery_by_due"),
        (sql::health::BEHIND, "INDEX delivery_by_channel"),
        (sql::silence::SILENCE_OVER, "INDEX silence_open"),
        (sql::silence::SILENCE_OVER, "INDEX delivery_by_channel"),
        (sql::silence::SILENCE_COUNT, "INDEX silence_open"),
        (sql::silence::SILENCE_TAKE, "INDEX silence_news"),
        (sql::read::JOURNAL_ROWS_OF, "INDEX journal_by_delivery"),
    ];
    for (statement, index) in table {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", statement.sqlite));
        let rows = connection.fetch_all(explain).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.get(3)).collect();
        assert!(
            steps.iter().any(|step| step.contains(index)),
            "{}: {steps:#?}",
            statement.name
        );
        let walks = steps
            .iter()
            .any(|step| step == "SCAN delivery" || step == "SCAN d");
        assert!(!walks, "{}: {steps:#?}", statement.name);
    }
}

/// What comes in batches is found by its id (or, in a small table, by one walk through all of it), and never by a walk
/// through a partial index for each row of the batch, also when PostgreSQL's statistics are from an hour in which
/// nothing waited.
#[tokio::test]
async fn batches_are_never_quadratic() {
    let Some(ground) = Ground::postgres().await else {
        return;
    };
    let nothing_waits: Vec<_> = (0..3_000)
        .map(|n| silent(planned(&format!("web-{n}"), 100)))
        .collect();
    ground.store.plan(&nothing_waits, R1, at(0)).await.unwrap();
    ground.meddle("ANALYZE").await.unwrap();
    let waits: Vec<_> = (0..3_000)
        .map(|n| planned(&format!("web-{n}"), 200))
        .collect();
    ground.store.plan(&waits, R1, at(0)).await.unwrap();
    let mut connection = PgConnection::connect(&ground.url).await.unwrap();
    connection
        .execute("SET plan_cache_mode = force_generic_plan")
        .await
        .unwrap();
    for statement in [
        sql::plan::PLAN_CHANGE,
        sql::plan::PLAN_REVISION,
        sql::plan::FREEZE,
        sql::plan::END_UNBEGUN,
        sql::deliver::FINISH,
        sql::deliver::FINISH_HELD,
        sql::deliver::FINISH_ACCEPTED,
        sql::deliver::CLAIM,
        sql::deliver::RESCUE,
        sql::read::KNOWN,
    ] {
        let nulls = vec!["NULL"; parameters(statement.postgres)].join(", ");
        let prepare = format!("PREPARE one AS {}", statement.postgres);
        connection.execute(AssertSqlSafe(prepare)).await.unwrap();
        let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE one({nulls})"));
        let rows = connection.fetch_all(sqlx::raw_sql(explain)).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        connection.execute("DEALLOCATE one").await.unwrap();
        let fair = |step: &String| {
            !step.contains("Scan using delivery_") || step.contains("delivery_pkey")
        };
        assert!(steps.iter().all(fair), "{}: {steps:#?}", statement.name);
    }
}
