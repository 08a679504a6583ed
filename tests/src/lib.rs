//! The product from the outside; see product/main.rs.
