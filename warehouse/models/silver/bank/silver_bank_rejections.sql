with
checked_rows as (select * from {{ ref('silver_bank_checked_rows') }}),

{{ counted_rejections('checked_rows', 'silver.bank_clients', 'client', bank_row_rules()) }}
