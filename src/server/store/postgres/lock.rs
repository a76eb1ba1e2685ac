use sqlx::PgConnection;

/// What no row stands for, held by one transaction at a time until its end, on whatever node. Taken before
/// the lock of any row, and in this order.
#[derive(Clone, Copy)]
pub(super) enum Lock {
    /// The tables themselves.
    Schema,
    /// Who the owners are.
    Owners,
    /// Which rooms there are, and the keys of those who make them.
    Rooms,
    /// Who moves a community here; held for as long as a connection lasts.
    Moving,
}

/// The upper half of the locks' numbers, so that they are nobody else's: "pick".
const OURS: i64 = 0x7069_636b << 32;

impl Lock {
    pub async fn take(self, tx: &mut PgConnection) -> Result<(), sqlx::Error> {
        let take = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(OURS + self as i64);
        take.execute(tx).await?;
        Ok(())
    }

    /// Until the connection ends.
    pub async fn hold(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let hold = sqlx::query("SELECT pg_advisory_lock($1)").bind(OURS + self as i64);
        hold.execute(connection).await?;
        Ok(())
    }
}
