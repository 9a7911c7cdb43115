{# A file of prospects as a table expression; the labelled one has one column more. #}
{% macro automobile_file(name, more_columns=[]) -%}
    {{- csv_files(
        domain_folder('automobile'), [name ~ '.csv', name ~ '.csv.gz'],
        [
            'ID', 'Gender', 'Ever_Married', 'Age', 'Graduated', 'Profession', 'Work_Experience',
            'Spending_Score', 'Family_Size', 'Var_1',
        ] + more_columns,
        'python scripts/fetch_data.py automobile --from archive.zip', in_order=true
    ) -}}
{%- endmacro %}

{# The columns that both files have, typed, and the row's place in its file. #}
{% macro prospect_columns() -%}
    {{ safe_integer(code('raw_file.ID')) }} as prospect_id,
        {{ place_in_file() }} as file_row,
        {{ code('raw_file.Gender') }} as gender,
        {{ code('raw_file.Ever_Married') }} as married_answer,
        {{ code('raw_file.Graduated') }} as graduated_answer,
        {{ code('raw_file.Profession') }} as profession,
        {{ code('raw_file.Spending_Score') }} as spending_score,
        {{ code('raw_file.Var_1') }} as category_code,
        {{ safe_integer(code('raw_file.Age')) }} as age,
        {{ safe_integer(code('raw_file.Work_Experience')) }} as work_experience_years,
        {{ safe_integer(code('raw_file.Family_Size')) }} as family_size,
        {{ unread('Work_Experience') }} or {{ unread('Family_Size') }} as has_unread_number
{%- endmacro %}

{# Whether a column of the raw file has a text that is no whole number. #}
{% macro unread(column) -%}
    ({{ code('raw_file.' ~ column) }} is not null
            and {{ safe_integer(code('raw_file.' ~ column)) }} is null)
{%- endmacro %}

{# The rules that a row must keep, in the order in which they are tried: a row is counted under
   the first that it breaks. `when` is read in silver.automobile_checked_rows, where copy_number
   is 2 and more for a repeated id. #}
{% macro prospect_rules() -%}
    {{ return([
        {
            'reason': 'prospect_missing',
            'rule': 'no id, or one that is no whole number',
            'when': 'prospect_id is null',
        },
        {
            'reason': 'age_impossible',
            'rule': 'age missing, no whole number, or outside 16 to 120',
            'when': 'coalesce(age not between 16 and 120, true)',
        },
        {
            'reason': 'number_unreadable',
            'rule': 'work experience or family size is no whole number',
            'when': 'has_unread_number',
        },
        {
            'reason': 'label_missing',
            'rule': 'a row of the labelled file without its label',
            'when': 'is_labelled and segment_label is null',
        },
        {
            'reason': 'prospect_repeated',
            'rule': 'an earlier row of the file has the same id',
            'when': 'copy_number > 1',
        },
    ]) }}
{%- endmacro %}
