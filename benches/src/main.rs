//! x
mod frame; mod histogram; mod marker; mod replica; mod sync;
fn main(){}
